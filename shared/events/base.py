"""What all events share: frozen, plain JSON, known by a deterministic id."""

import uuid
from abc import ABC, abstractmethod
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

NAMESPACE = uuid.UUID("8a4f6a3e-6c1b-5d0e-9f3a-0b6d2f7c1e55")


# Of any text that a person reads; what strangers write ends up in some of them.
_LONGEST_REASON = 2_000


def _to_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError as e:
        msg = "expected a time between the years 1 and 9999 in UTC"
        raise ValueError(msg) from e


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_REASON else f"{text[: _LONGEST_REASON - 3]}..."


UtcTime = Annotated[AwareDatetime, AfterValidator(_to_utc)]
Reason = Annotated[str, AfterValidator(_cut)]
Money = Annotated[Decimal, Field(allow_inf_nan=False)]
RunId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Symbol = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9.\- ]{0,15}$")]


class Mode(StrEnum):
    """How far an order goes."""

    DRY_RUN = "dry_run"
    PAPER = "paper"
    LIVE = "live"


class Fact(BaseModel):
    """A value inside an event. Unknown fields are ignored, so that events can gain some."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Check(Fact):
    """One check of code: what it asked for and what it found, both as a person reads them."""

    name: str
    passed: bool
    required: str
    found: str


class Event(Fact, ABC):
    """A fact on the bus. ``occurred_at`` is wall time; ``market_time`` is the exchange's."""

    type: ClassVar[str]
    # False only for what strangers write: there, one message is not the same as its repeat.
    has_own_id: ClassVar[bool] = True

    occurred_at: UtcTime
    market_time: UtcTime

    @abstractmethod
    def identity(self) -> tuple[object, ...]:
        """Return what makes this event this one, apart from its type."""

    @abstractmethod
    def key(self) -> str:
        """Return the Kafka key: events of one key stay in order."""

    @property
    def event_id(self) -> uuid.UUID:
        """Return the id: the same fact has the same id, whoever publishes it and how often."""
        return uuid.uuid5(NAMESPACE, "|".join(map(str, (self.type, *self.identity()))))


class RunEvent(Event):
    """An event of one run. ``expires_at`` (market time) ends all work on it; None: not yet set."""

    run_id: RunId
    expires_at: UtcTime | None = None

    def identity(self) -> tuple[object, ...]:
        return (self.run_id,)

    def key(self) -> str:
        return self.run_id


class SymbolEvent(RunEvent):
    """An event of one symbol of a run."""

    symbol: Symbol

    def identity(self) -> tuple[object, ...]:
        return (self.run_id, self.symbol)

    def key(self) -> str:
        return f"{self.run_id}:{self.symbol}"
