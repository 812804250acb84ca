"""A run's log as its retelling needs it: which events there are, and which came before which."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from cli.rows import Row
from services.api.closing import outcome_of_failure, outcome_of_order
from shared.events.base import Event, RunEvent, SymbolEvent
from shared.events.evidence import EvidenceCaptured
from shared.events.order import OrderChanged
from shared.events.run import (
    RunAccepted,
    RunBrokerReady,
    RunMarketOpen,
    StepFailed,
    SymbolOutcome,
)
from shared.events.signal import SignalChecked

E = TypeVar("E", bound=Event)

# Of the run, and of each of its symbols: each event follows from the one before it.
HEADS: Final[tuple[type[RunEvent], ...]] = (RunAccepted, RunMarketOpen, RunBrokerReady)
OF_SYMBOL: Final[tuple[type[SymbolEvent], ...]] = (
    EvidenceCaptured,
    SignalChecked,
    OrderChanged,
)
PATH: Final[tuple[type[Event], ...]] = (*HEADS, *OF_SYMBOL)


@dataclass(frozen=True)
class Log:
    """The events of a run in the order of the log, each with its position in Kafka."""

    events: tuple[Event, ...]
    positions: tuple[str, ...]

    @classmethod
    def of(cls, rows: Sequence[Row]) -> "Log":
        """Return the log of these rows; what is no event is passed over."""
        read = [(event, row.position) for row in rows if (event := row.event) is not None]
        return cls(tuple(event for event, _ in read), tuple(where for _, where in read))

    def along_the_path(self) -> list[Event]:
        """Return the events in the order in which they follow; the ledger takes in any order."""
        return sorted(self.events, key=lambda event: place_of(type(event)))

    def at(self, position: str) -> Event | None:
        """Return the event at a position in Kafka."""
        pairs = zip(self.events, self.positions, strict=True)
        return next((event for event, where in pairs if where == position), None)

    def first(self, model: type[E], symbol: str | None = None) -> E | None:
        """Return the first event of a type; of events of one symbol, the first of this one."""
        of_type = (event for event in self.events if isinstance(event, model))
        return next((e for e in of_type if getattr(e, "symbol", None) in {symbol, None}), None)

    def before(self, event: Event) -> Event | None:
        """Return the event that one follows from: the nearest before it on the path."""
        symbol = getattr(event, "symbol", None)
        earlier = reversed(PATH[: place_of(type(event))])
        found = (self.first(model, symbol) for model in earlier)
        return next((event for event in found if event is not None), None)

    def outcomes(self, symbol: str) -> Iterator[SymbolOutcome]:
        """Yield every outcome that the log tells of a symbol; the first that came in counted."""
        for event in self.events:
            told: SymbolOutcome | None = None
            if isinstance(event, OrderChanged) and event.symbol == symbol:
                told = outcome_of_order(event)
            elif isinstance(event, StepFailed) and event.symbol in {symbol, None}:
                told = outcome_of_failure(event, symbol)
            if told is not None:
                yield told


def place_of(model: type[Event]) -> int:
    """Return the place of a type on the path; what is not on it comes after."""
    return PATH.index(model) if model in PATH else len(PATH)
