"""The call of a model as an MLflow trace of one span.

MLflow's public functions make random ids and lose a trace whose server is away; these are the
requests that they make, with an id that follows from the run, so that a repeat is the same trace.
"""

import json
import uuid
from typing import Any

import structlog
from mlflow.entities import Span, SpanType, TraceInfo, TraceLocation, TraceState
from mlflow.tracing.client import TracingClient
from mlflow.tracing.constant import SpanAttributeKey, TraceMetadataKey, TraceTagKey
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags

from services.tracker.logged import Call
from shared.events.base import NAMESPACE
from shared.events.signal import ModelCall

_SCHEMA = "3"
_PREVIEW = 1000
log = structlog.get_logger(__name__)


class Traces:
    """Traces on one tracking server."""

    def __init__(self, tracking_uri: str) -> None:
        self._client = TracingClient(tracking_uri)

    def log(self, experiment_id: str, mlflow_run_id: str, call: Call) -> None:
        """Log a call as the trace of a run. Raises what MLflow's client does."""
        made = uuid.uuid5(NAMESPACE, f"trace|{mlflow_run_id}")
        info = _info(f"tr-{made.hex}", experiment_id, mlflow_run_id, call)
        try:
            self._client.log_spans(experiment_id, [_span(made, info, call)])
        except NotImplementedError as e:
            log.warning("this server takes no traces", why=str(e))
        else:
            self._client.start_trace(info)


def _info(trace_id: str, experiment_id: str, mlflow_run_id: str, call: Call) -> TraceInfo:
    ended = round(call.ended.timestamp() * 1000)
    return TraceInfo(
        trace_id=trace_id,
        trace_location=TraceLocation.from_experiment_id(experiment_id),
        request_time=max(0, ended - call.call.latency_ms),
        execution_duration=call.call.latency_ms,
        state=TraceState.OK,
        request_preview=call.call.request[:_PREVIEW],
        response_preview=call.call.answer[:_PREVIEW],
        trace_metadata={
            TraceMetadataKey.SOURCE_RUN: mlflow_run_id,
            TraceMetadataKey.TOKEN_USAGE: json.dumps(_tokens(call.call)),
            TraceMetadataKey.INPUTS: call.call.request[:_PREVIEW],
            TraceMetadataKey.OUTPUTS: call.call.answer[:_PREVIEW],
            "mlflow.trace_schema.version": _SCHEMA,
        },
        tags={TraceTagKey.TRACE_NAME: call.name},
    )


def _span(made: uuid.UUID, info: TraceInfo, call: Call) -> Span:
    attributes = {
        SpanAttributeKey.REQUEST_ID: info.trace_id,
        SpanAttributeKey.SPAN_TYPE: SpanType.CHAT_MODEL,
        SpanAttributeKey.INPUTS: _json(call.call.request),
        SpanAttributeKey.OUTPUTS: _json(call.call.answer),
        SpanAttributeKey.CHAT_USAGE: _tokens(call.call),
        SpanAttributeKey.MODEL: call.call.model,
    }
    began = info.request_time * 1_000_000
    return Span(
        ReadableSpan(
            name=call.name,
            context=SpanContext(
                made.int, made.int & (2**64 - 1), is_remote=False, trace_flags=TraceFlags(1)
            ),
            attributes={name: json.dumps(value) for name, value in attributes.items()},
            status=Status(StatusCode.OK),
            start_time=began,
            end_time=began + call.call.latency_ms * 1_000_000,
        )
    )


def _tokens(call: ModelCall) -> dict[str, int]:
    used = call.prompt_tokens + call.completion_tokens
    return {
        "input_tokens": call.prompt_tokens,
        "output_tokens": call.completion_tokens,
        "total_tokens": used,
    }


def _json(text: str) -> Any:
    """Return what a text says, where it is JSON, so that the page shows it as such."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
