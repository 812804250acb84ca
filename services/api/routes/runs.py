"""Runs: ask for one, look at them."""

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Any

from aiokafka.errors import KafkaError
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import StreamingResponse

from services.api import ledger, store
from services.api.admission import Admission, Admitter
from services.api.following import Following
from services.api.problems import ProblemError
from services.api.request import Refusal, RunRequest
from services.api.views import Accepted, LedgerEvent, RunView, ledger_event, run_view
from shared.stage import Stage
from shared.sweep import add_pending, publish_now

RunIdPath = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
# How often a stream looks for new events of its run.
_LOOK_S = 0.1
# How long an answer waits for Kafka.
_PUBLISH_S = 2.0


def routes(stage: Stage, admitter: Admitter, *, max_body_bytes: int) -> APIRouter:
    """Return the routes under ``/runs``."""
    router = APIRouter(prefix="/runs", tags=["runs"])

    @router.post(
        "",
        status_code=HTTPStatus.ACCEPTED,
        openapi_extra={
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": RunRequest.model_json_schema()}},
            }
        },
    )
    async def trigger(request: Request) -> Accepted:
        """Ask for a run. Answers at once; the run goes on by itself."""
        fields = await _fields(request, max_body_bytes)
        try:
            admission = await _admit(stage, admitter, fields)
        except Refusal as refusal:
            reused = refusal.code == "run_id_reused"
            status = HTTPStatus.CONFLICT if reused else HTTPStatus.UNPROCESSABLE_ENTITY
            raise ProblemError(status, refusal.code, refusal.reason) from refusal
        return Accepted(run_id=admission.accepted.run_id, new=admission.new)

    @router.get("")
    async def list_runs(
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> list[RunView]:
        """Return the newest runs, newest first."""
        async with stage.sessions() as session:
            return [run_view(run) for run in await store.list_runs(session, limit=limit)]

    @router.get("/{run_id}")
    async def show(run_id: RunIdPath) -> RunView:
        """Return one run: status, symbols, what it waits for."""
        async with stage.sessions() as session:
            run = await _known(session, run_id)
            return run_view(run, await ledger.of_run(session, run_id))

    @router.get("/{run_id}/events")
    @router.get("/{run_id}/trace")
    async def events(run_id: RunIdPath) -> list[LedgerEvent]:
        """Return every event of a run in the order in which the ledger took them in."""
        async with stage.sessions() as session:
            rows = await ledger.of_run(session, run_id)
            if not rows:
                await _known(session, run_id)
            return [ledger_event(row) for row in rows]

    @router.get("/{run_id}/stream", response_class=StreamingResponse)
    async def stream(run_id: RunIdPath) -> StreamingResponse:
        """Send the events of a run as server-sent events, up to ``run.finished``."""
        async with stage.sessions() as session:
            await _known(session, run_id)
        return StreamingResponse(_follow(stage, run_id), media_type="text/event-stream")

    return router


async def _admit(stage: Stage, admitter: Admitter, fields: dict[str, Any]) -> Admission:
    async with stage.sessions.begin() as session:
        admission = await admitter.admit(session, fields, run_id=str(uuid.uuid4()), source="rest")
        if admission.new:
            accepted = admission.accepted
            await add_pending(stage, session, accepted.event_id, [accepted])
    if admission.new:
        # Accepted, whether Kafka answers now or not: the sweep publishes what is recorded.
        with contextlib.suppress(TimeoutError, KafkaError):
            async with asyncio.timeout(_PUBLISH_S):
                await publish_now(stage, admission.accepted.event_id)
    return admission


async def _fields(request: Request, max_body_bytes: int) -> dict[str, Any]:
    """Return the body as a JSON object. Raises ProblemError."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_body_bytes:
            reason = f"expected at most {max_body_bytes} bytes"
            raise ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", reason)
    try:
        fields = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as e:
        found = "no body" if not body else str(e)[:200]
        reason = f"expected a JSON object in UTF-8, found: {found}"
        raise ProblemError(HTTPStatus.BAD_REQUEST, "not_json", reason) from e
    if not isinstance(fields, dict):
        reason = f"expected a JSON object, found {type(fields).__name__}"
        raise ProblemError(HTTPStatus.BAD_REQUEST, "not_an_object", reason)
    return fields


async def _known(session: Any, run_id: str) -> store.Run:
    run = await store.find_run(session, run_id)
    if run is None:
        reason = f"no run {run_id!r}; 'openbell runs' lists them"
        raise ProblemError(HTTPStatus.NOT_FOUND, "unknown_run", reason)
    return run


async def _follow(stage: Stage, run_id: str) -> AsyncIterator[str]:
    """Yield what the ledger takes in, the end last: topics reach the ledger in any order."""
    story = Following()
    while True:
        async with stage.sessions() as session:
            rows = await ledger.of_run(session, run_id, after=story.seen)
        for row in story.take(rows, time.monotonic()):
            data = ledger_event(row).model_dump_json()
            yield f"id: {row['id']}\nevent: {row['type']}\ndata: {data}\n\n"
        if story.over:
            return
        await asyncio.sleep(_LOOK_S)
