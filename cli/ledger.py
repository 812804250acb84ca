"""A row of the ledger as REST shows it, with the event that it holds."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.events.base import Event
from shared.events.dead_letter import DeadLetter
from shared.events.evidence import EvidenceCaptured
from shared.events.order import OrderChanged
from shared.events.request import RunRequested
from shared.events.run import (
    RunAccepted,
    RunBrokerReady,
    RunFinished,
    RunMarketOpen,
    RunRejected,
    RunWaiting,
    StepFailed,
)
from shared.events.signal import SignalChecked

# Not from shared.topics: that imports a Kafka client, which takes as long as a command may.
_OF_A_RUN: tuple[type[Event], ...] = (
    RunRequested,
    RunAccepted,
    RunRejected,
    RunWaiting,
    RunMarketOpen,
    RunBrokerReady,
    EvidenceCaptured,
    SignalChecked,
    OrderChanged,
    StepFailed,
    RunFinished,
    DeadLetter,
)
_MODELS = {model.type: model for model in _OF_A_RUN}


class LedgerEntry(BaseModel):
    """One event of a run. ``event`` is None where the body is not, or not any more, of its type."""

    model_config = ConfigDict(frozen=True)

    id: int
    type: str
    symbol: str | None
    source: str
    topic: str
    partition: int
    offset: int
    timestamp: datetime
    body: Any
    event: Event | None = None

    @property
    def service(self) -> str:
        """Return who wrote it, without our prefix."""
        return self.source.removeprefix("openbell/")

    @property
    def position(self) -> str:
        """Return where it stands in Kafka."""
        return f"{self.topic}/{self.partition}/{self.offset}"


def read_entry(row: dict[str, Any]) -> LedgerEntry:
    """Return a row of ``GET /runs/{run_id}/events``. Raises pydantic.ValidationError."""
    entry = LedgerEntry.model_validate(row)
    return entry.model_copy(update={"event": _event(entry.type, entry.body)})


def _event(name: str, body: Any) -> Event | None:
    model = _MODELS.get(name)
    if model is None:
        return None
    try:
        return model.model_validate(body)
    except ValidationError:
        return None
