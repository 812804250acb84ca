"""The rows of a run's ledger as ``trace --json`` prints them, and what each must follow from.

No I/O.
"""

import json
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from aiokafka import ConsumerRecord
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from cli.differences import Difference, Parts, differences
from services.api.entry import Entry, entry_of
from shared.events.base import Event
from shared.topics import BY_NAME

# What a body that is not, or not any more, an event of its topic raises.
NOT_AN_EVENT = (KeyError, ValidationError, RecursionError, ArithmeticError)
# How the services call themselves in ``ce_source``.
OURS = "openbell/"


class Row(BaseModel):
    """One record as the ledger took it in. ``raw`` is its body, ``body`` the copy people read."""

    model_config = ConfigDict(frozen=True)

    event_id: uuid.UUID
    type: str
    symbol: str | None
    source: str
    topic: str
    partition: int
    offset: int
    timestamp: AwareDatetime
    headers: dict[str, str]
    key: str | None
    body: Any
    previous_hash: str
    hash: str
    raw: str

    @property
    def label(self) -> str:
        """Return what a difference calls it."""
        return f"{self.topic} {self.symbol or ''}".strip()

    @property
    def position(self) -> str:
        """Return where it stands in Kafka."""
        return f"{self.topic}/{self.partition}/{self.offset}"

    @property
    def event(self) -> Event | None:
        """Return the event, None where the body is not one of its topic."""
        try:
            return self.read()
        except NOT_AN_EVENT:
            return None

    @property
    def entry(self) -> Entry:
        """Return what the ledger makes of the record, computed again."""
        return entry_of(self._record())

    def read(self) -> Event:
        """Return the event. Raises one of NOT_AN_EVENT."""
        return BY_NAME[self.topic].event.model_validate_json(self.raw)

    def as_shown(self) -> "Row":
        """Return the row with the body that people read in the place of the raw one."""
        return self.model_copy(update={"raw": json.dumps(self.body)})

    def _record(self) -> "ConsumerRecord[bytes, bytes]":
        return ConsumerRecord(
            topic=self.topic,
            partition=self.partition,
            offset=self.offset,
            timestamp=_milliseconds(self.timestamp),
            timestamp_type=0,
            key=None if self.key is None else self.key.encode(),
            value=self.raw.encode(),
            checksum=None,
            serialized_key_size=-1,
            serialized_value_size=-1,
            headers=[(name, value.encode()) for name, value in self.headers.items()],
        )


def underived(rows: Sequence[Row]) -> Difference | None:
    """Return the first column that does not follow from topic, body and headers of its record.

    The chain does not cover all of them.
    """
    found = (d for row in rows for d in differences(row.label, "row", _columns(row)))
    return next(found, None)


def _columns(row: Row) -> Parts:
    entry = row.entry
    for column in ("type", "symbol", "source"):
        yield column, getattr(row, column), getattr(entry, column)
    if row.event_id != entry.under_its_own_id().event_id:
        yield "event_id", row.event_id, entry.event_id
    if row.event is not None and entry.source.startswith(OURS):
        yield from _envelope(row, row.event)


def _envelope(row: Row, event: Event) -> Parts:
    yield "key", row.key, event.key()
    yield "headers.ce_type", row.headers.get("ce_type"), event.type
    yield "headers.ce_id", row.headers.get("ce_id"), event.event_id
    yield "headers.ce_time", row.headers.get("ce_time"), event.occurred_at.isoformat()


def edited(rows: Sequence[Row]) -> Difference | None:
    """Return the first difference between what people read of a row and its raw text."""
    return next((d for row in rows for d in differences(row.label, "body", _copies(row))), None)


def _copies(row: Row) -> Parts:
    yield "body", row.body, _parsed(row.raw)


def _parsed(raw: str) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return raw


def _milliseconds(instant: datetime) -> int:
    return round(instant.timestamp() * 1000)
