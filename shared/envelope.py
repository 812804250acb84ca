"""The envelope: a body of plain JSON; metadata in CloudEvents 1.0 headers and W3C traceparent."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Generic, TypeVar

from aiokafka import ConsumerRecord
from pydantic import ValidationError

from shared.events.base import NAMESPACE, Event
from shared.failures import PoisonError
from shared.topics import BY_EVENT

E = TypeVar("E", bound=Event)
_LONGEST_EXCERPT = 500
# The seconds that a datetime knows; a client may claim any.
_EARLIEST, _LATEST = -62135596800, 253402300799


@dataclass(frozen=True)
class Message:
    """What goes onto the bus, byte for byte; recorded once and published as recorded."""

    topic: str
    key: str
    headers: dict[str, str]
    body: str


@dataclass(frozen=True)
class Cause(Generic[E]):
    """A consumed message: its event, where it came from, and its trace."""

    event: E
    topic: str
    partition: int
    offset: int
    timestamp: int
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def input_id(self) -> uuid.UUID:
        """Return what the result is recorded under: the event's id, else the message's place."""
        if self.event.has_own_id:
            return self.event.event_id
        return uuid.uuid5(NAMESPACE, f"{self.source}@{self.timestamp}")

    @property
    def source(self) -> str:
        """Return the position of the message, as people write it."""
        return f"{self.topic}/{self.partition}/{self.offset}"


def encode(event: Event, *, source: str, traceparent: str | None = None) -> Message:
    """Return the message of an event. The same event gives the same bytes and headers.

    ``source`` is the service that publishes; ``traceparent`` that of the cause, if it has one.
    Raises PoisonError ``too_large``.
    """
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(event.event_id),
        "ce_type": event.type,
        "ce_source": f"openbell/{source}",
        "ce_time": event.occurred_at.isoformat(),
        "content-type": "application/json",
        "traceparent": _next_traceparent(event, traceparent),
    }
    topic, body = BY_EVENT[type(event)], event.model_dump_json()
    # Before it is recorded: what Kafka will never take must not be tried for ever.
    if (size := len(body.encode())) > topic.limit_bytes:
        found = f"{topic.name}: expected at most {topic.limit_bytes} bytes, found {size}"
        raise PoisonError("too_large", found)
    return Message(topic.name, event.key(), headers, body)


def _next_traceparent(event: Event, parent: str | None) -> str:
    """Continue the trace of the cause; a run without one gets a trace of its own."""
    parts = (parent or "").split("-")
    whole = [2, 32, 16, 2]
    if [len(part) for part in parts] == whole and set(parts[1]) <= set("0123456789abcdef"):
        trace = parts[1]
    else:
        trace = uuid.uuid5(NAMESPACE, f"trace|{getattr(event, 'run_id', event.event_id)}").hex
    return f"00-{trace}-{event.event_id.hex[:16]}-01"


def moment(milliseconds: int) -> datetime:
    """Return a record's timestamp, the nearest one that there is."""
    return datetime.fromtimestamp(max(_EARLIEST, min(milliseconds / 1000, _LATEST)), UTC)


def readable(raw: bytes) -> str:
    """Return bytes as text that PostgreSQL takes: what is no UTF-8, and NUL, is escaped."""
    return raw.decode("utf-8", "backslashreplace").replace("\x00", "\\x00")


def text_headers(headers: Sequence[tuple[str, bytes | None]]) -> dict[str, str]:
    """Return headers as text, null as empty; of a name that is there twice, the last."""
    return {readable(name.encode()): readable(value or b"") for name, value in headers}


def decode(record: "ConsumerRecord[bytes, bytes]", model: type[E]) -> Cause[E]:
    """Return a record as its event. Raises PoisonError, which says what was expected and found."""
    headers = text_headers(record.headers)
    if not record.value:
        raise PoisonError("empty_body", f"expected a JSON object of {model.type}, found no body")
    try:
        event = model.model_validate_json(record.value)
    except (ValidationError, RecursionError, ArithmeticError) as e:
        raise _why_not(record.value, model, e) from e
    return Cause(event, record.topic, record.partition, record.offset, record.timestamp, headers)


def _why_not(value: bytes, model: type[Event], why: Exception) -> PoisonError:
    """Return which of the ways to be unusable a body has."""
    try:
        fields = json.loads(value.decode("utf-8"))
    except UnicodeDecodeError as e:
        return PoisonError("wrong_encoding", f"expected UTF-8, found byte {e.start} of another")
    except (ValueError, RecursionError) as e:
        return PoisonError("not_json", f"expected a JSON object, found: {e}")
    if not isinstance(fields, dict):
        return PoisonError(
            "not_an_object", f"expected a JSON object, found {type(fields).__name__}"
        )
    problem = first_problem(why) if isinstance(why, ValidationError) else str(why)
    return PoisonError("not_the_event", f"expected {model.type}: {problem}")


def first_problem(error: ValidationError) -> str:
    """Return the first problem of a validation in words: which field, what was wrong."""
    first = error.errors(include_url=False, include_context=False)[0]
    where = ".".join(map(str, first["loc"])) or "the object"
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    found = "" if first["type"] == "missing" else f", found {str(first['input'])[:60]!r}"
    return f"{where}: {first['msg']}{found}{more}"[:_LONGEST_EXCERPT]
