"""What the tracker keeps of the bus, and when a run is told to its end. Pure."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from aiokafka import ConsumerRecord

from shared.envelope import decode, moment
from shared.events.base import RunEvent
from shared.events.run import RunFinished
from shared.failures import PoisonError
from shared.story import Story, SymbolStory
from shared.topics import (
    BY_NAME,
    EVIDENCE_CAPTURED,
    MAX_MESSAGE_BYTES,
    ORDER_CHANGED,
    RUN_ACCEPTED,
    RUN_BROKER_READY,
    RUN_FINISHED,
    RUN_MARKET_OPEN,
    RUN_WAITING,
    SIGNAL_CHECKED,
    STEP_FAILED,
)

TOPICS = (
    RUN_ACCEPTED,
    RUN_WAITING,
    RUN_MARKET_OPEN,
    RUN_BROKER_READY,
    EVIDENCE_CAPTURED,
    SIGNAL_CHECKED,
    ORDER_CHANGED,
    STEP_FAILED,
    RUN_FINISHED,
)


@dataclass(frozen=True)
class Kept:
    """An event as it is kept until MLflow has it. ``finished_at``: its run ended then."""

    event_id: uuid.UUID
    run_id: str
    topic: str
    timestamp: datetime
    body: str
    finished_at: datetime | None


@dataclass(frozen=True)
class Told:
    """An event of a run and when it was written to Kafka."""

    event: RunEvent
    timestamp: datetime


History = Story[Told]


def kept(record: "ConsumerRecord[bytes, bytes]") -> Kept:
    """Return what is kept of a record. Raises PoisonError where it is no event of a run."""
    if len(record.value or b"") > MAX_MESSAGE_BYTES:
        # None of ours: another client's, decompressed.
        raise PoisonError("too_large", f"expected at most {MAX_MESSAGE_BYTES} bytes")
    event = decode(record, BY_NAME[record.topic].event).event
    assert isinstance(event, RunEvent)  # noqa: S101  # as on all topics of this module
    return Kept(
        event_id=event.event_id,
        run_id=event.run_id,
        topic=record.topic,
        timestamp=moment(record.timestamp),
        body=event.model_dump_json(),
        finished_at=event.occurred_at if isinstance(event, RunFinished) else None,
    )


def told(topic: str, timestamp: datetime, body: str) -> Told:
    """Return an event as it was kept."""
    event = BY_NAME[topic].event.model_validate_json(body)
    assert isinstance(event, RunEvent)  # noqa: S101  # ``kept`` saw to it
    return Told(event, timestamp)


def is_whole(history: History) -> bool:
    """Whether all that led to the end of a run is there: topics are read in any order."""
    finished = history.finished
    if finished is None or history.accepted is None:
        return False
    return all(_is_whole(history.symbol(end.symbol)) for end in finished.symbols)


def _is_whole(symbol: SymbolStory) -> bool:
    if symbol.closing is not None:
        return symbol.signal is not None and symbol.evidence is not None
    if symbol.failure is None:
        return False
    has_signal = symbol.signal is not None or symbol.failure.step != "order"
    return has_signal and (symbol.evidence is not None or symbol.failure.evidence_hash is None)
