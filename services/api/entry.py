"""An entry of the ledger and its place in the hash chain of its run. Pure."""

import hashlib
import json
import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from aiokafka import ConsumerRecord

from shared.envelope import moment, readable, text_headers
from shared.events.base import NAMESPACE
from shared.topics import BROKER_SESSION, BY_NAME, MAX_MESSAGE_BYTES

# What differs from one heartbeat of the broker's session to the next.
_OF_THE_BEAT = {"occurred_at", "market_time", "valid_until"}
GENESIS = "0" * 64
# No event of ours is larger. One of another client may be, once it is decompressed.
KEPT_BYTES = MAX_MESSAGE_BYTES


@dataclass(frozen=True)
class Entry:
    """An event as it came off the bus; what the chain's hash is over."""

    event_id: uuid.UUID
    run_id: str | None
    symbol: str | None
    type: str
    topic: str
    partition: int
    offset: int
    timestamp: datetime
    source: str
    key: str | None
    headers: dict[str, str]
    body: str

    @property
    def body_hash(self) -> str:
        """Return the SHA-256 of the body."""
        return hashlib.sha256(self.body.encode()).hexdigest()

    def under_its_own_id(self) -> "Entry":
        """Return this entry under an id that only this body has."""
        own = uuid.uuid5(NAMESPACE, f"{self.event_id}|{self.body_hash}")
        return replace(self, event_id=own)

    def hash_after(self, previous: str) -> str:
        """Return the hash of this entry behind the one before it in its run."""
        content = [
            previous,
            str(self.event_id),
            self.topic,
            self.partition,
            self.offset,
        ]
        content += [
            self.timestamp.isoformat(),
            self.key,
            sorted(self.headers.items()),
            self.body,
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


class Beats:
    """Tells news of the broker's session from its heartbeats, of which there are 17,000 a day."""

    def __init__(self) -> None:
        self._last: dict[str, Any] = {}

    def is_news(self, entry: Entry) -> bool:
        """Whether an entry says anything that the one before it did not."""
        if entry.topic != BROKER_SESSION.name:
            return True
        said = {n: v for n, v in _fields(entry.body).items() if n not in _OF_THE_BEAT}
        before, self._last = self._last, said
        return said != before


def entry_of(record: "ConsumerRecord[bytes, bytes]") -> Entry:
    """Return the entry of any record: the ledger judges nothing."""
    headers = text_headers(record.headers)
    body = _body(record.value or b"")
    fields = _fields(body)
    position = f"{record.topic}/{record.partition}/{record.offset}@{record.timestamp}"
    return Entry(
        event_id=_event_id(headers, record.topic) or uuid.uuid5(NAMESPACE, position),
        run_id=_text(fields.get("run_id"), 64),
        symbol=_text(fields.get("symbol"), 16),
        type=record.topic,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        timestamp=moment(record.timestamp),
        source=headers.get("ce_source", "a client")[:64],
        key=None if record.key is None else readable(record.key),
        headers=headers,
        body=body,
    )


def _body(raw: bytes) -> str:
    cut = f" (the first {KEPT_BYTES} of {len(raw)} bytes)" if len(raw) > KEPT_BYTES else ""
    return readable(raw[:KEPT_BYTES]) + cut


def _event_id(headers: dict[str, str], topic: str) -> uuid.UUID | None:
    if not BY_NAME[topic].event.has_own_id:
        return None
    try:
        return uuid.UUID(headers.get("ce_id", ""))
    except ValueError:
        return None


def _fields(body: str) -> dict[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}


def _text(value: Any, longest: int) -> str | None:
    """Return a field that can name a run or symbol: what is escaped in JSON may be no text."""
    if not isinstance(value, str) or len(value) > longest:
        return None
    return value if value.isprintable() else None
