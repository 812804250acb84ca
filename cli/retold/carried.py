"""What an event only carries on: the same as in the event that it follows from."""

from typing import Final

from cli.differences import Parts
from cli.retold.log import PATH, Log
from shared.events.base import Event, RunEvent, SymbolEvent
from shared.events.order import OrderChanged
from shared.events.run import RunAccepted

_CARRIED: Final = (
    "run_id",
    "symbols",
    "context",
    "session_close",
    "closed_days",
    "accounts",
    "paper",
    "expires_at",
)


def carried(event: Event, log: Log) -> Parts:
    """Yield the fields that an event has from the one before it."""
    before = log.before(event)
    if not isinstance(event, RunEvent) or before is None:
        return
    for field in _CARRIED if type(event) in PATH else ("run_id",):
        if hasattr(event, field) and hasattr(before, field) and _is_carried(field, before):
            yield field, getattr(event, field), getattr(before, field)
    accepted = log.first(RunAccepted)
    if isinstance(event, SymbolEvent) and accepted and event.symbol not in accepted.symbols:
        yield "symbol", event.symbol, accepted.symbols


def alone(event: Event, log: Log) -> Parts:
    """Yield nothing where an event is the only one of its kind; an order has several changes."""
    if type(event) not in PATH or isinstance(event, OrderChanged):
        return
    if event is not log.first(type(event), getattr(event, "symbol", None)):
        yield "event", "a second one", "one alone"


def _is_carried(field: str, before: Event) -> bool:
    # The expiry is set when the bell rings.
    return field != "expires_at" or not isinstance(before, RunAccepted)
