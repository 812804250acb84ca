"""A run as its events tell it. Pure: the same events make the same story."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from shared.events.base import Event
from shared.events.dead_letter import DeadLetter
from shared.events.evidence import EvidenceCaptured
from shared.events.order import OrderChanged
from shared.events.run import RunAccepted, RunFinished, RunRejected, RunWaiting, StepFailed
from shared.events.signal import SignalChecked


class Entry(Protocol):
    """An event where it was written down; ``event`` is None where it is none of ours."""

    @property
    def event(self) -> Event | None: ...

    @property
    def timestamp(self) -> datetime: ...


E = TypeVar("E", bound=Event)
N = TypeVar("N", bound=Entry)


@dataclass(frozen=True)
class SymbolStory:
    """What is known of one symbol so far."""

    symbol: str
    evidence: EvidenceCaptured | None
    signal: SignalChecked | None
    orders: tuple[OrderChanged, ...]
    failure: StepFailed | None

    @property
    def closing(self) -> OrderChanged | None:
        """Return the order event that is the symbol's outcome, once it is there."""
        return next((order for order in self.orders if order.closing), None)

    @property
    def outcome(self) -> str | None:
        """Return the first outcome, as a word; None while the symbol is under way."""
        closing = self.closing
        if closing is not None and closing.outcome is not None:
            return closing.outcome.value
        if self.failure is None:
            return None
        known = self.failure.code in {"expired", "cancelled"}
        return self.failure.code if known else "failed"


@dataclass(frozen=True)
class Story(Generic[N]):
    """The events of one run in the order of their time."""

    entries: tuple[N, ...]

    @property
    def accepted(self) -> RunAccepted | None:
        return self.first(RunAccepted)

    @property
    def finished(self) -> RunFinished | None:
        return self.first(RunFinished)

    @property
    def refusal(self) -> RunRejected | DeadLetter | None:
        """Return why the request became no run, where it did not."""
        if self.accepted is not None:
            return None
        return self.first(RunRejected) or self.first(DeadLetter)

    @property
    def symbols(self) -> tuple[str, ...]:
        """Return the symbols asked for, in their order."""
        return self.accepted.symbols if self.accepted else ()

    @property
    def waiting(self) -> RunWaiting | None:
        """Return what the run waits for now; None where it goes on."""
        last = self.entries[-1].event if self.entries else None
        return last if isinstance(last, RunWaiting) else None

    def of(self, model: type[E], symbol: str | None = None) -> tuple[E, ...]:
        """Return the events of a type, of one symbol where it is given."""
        events = (e.event for e in self.entries if isinstance(e.event, model))
        return tuple(e for e in events if symbol in (None, getattr(e, "symbol", None)))

    def first(self, model: type[E], symbol: str | None = None) -> E | None:
        """Return the first event of a type."""
        return next(iter(self.of(model, symbol)), None)

    def at(self, event: Event) -> datetime:
        """Return when an event of this story was written to Kafka (wall time)."""
        return next(entry.timestamp for entry in self.entries if entry.event is event)

    def symbol(self, symbol: str) -> SymbolStory:
        """Return what is known of a symbol; a failure of the whole run is its failure too."""
        failures = self.of(StepFailed)
        return SymbolStory(
            symbol=symbol,
            evidence=self.first(EvidenceCaptured, symbol),
            signal=self.first(SignalChecked, symbol),
            orders=self.of(OrderChanged, symbol),
            failure=next((f for f in failures if f.symbol in (symbol, None)), None),
        )


def tell(entries: Iterable[N]) -> Story[N]:
    """Return the story of a run; entries of one millisecond stay in the order they came in."""
    return Story(tuple(sorted(entries, key=lambda entry: entry.timestamp)))
