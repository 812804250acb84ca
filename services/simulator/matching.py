"""When an order is filled, and at what price: pure decisions on quotes and paths."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from services.simulator.market import Quote
from services.simulator.tickets import Ticket

_PERCENT_CONSTRAINT = Decimal("0.03")


@dataclass(frozen=True, slots=True)
class Touch:
    """A second of the session at which an order trades, and the price."""

    second: int
    price: Decimal


def price_at_once(ticket: Ticket, quote: Quote) -> Decimal | None:
    """Return what an order trades at against a live quote right away, or None if it has to wait."""
    if not quote.live or quote.bid is None or quote.ask is None:
        return None
    price = quote.ask if ticket.side == "BUY" else quote.bid
    return price if _acceptable(ticket, price) else None


def first_touch(ticket: Ticket, changes: Iterable[tuple[int, Decimal]]) -> Touch | None:
    """Return when a waiting order trades against last prices, seconds since the open.

    An order that waits for the open trades at the opening price if that is good enough; later a
    limit order trades at its limit, which is when the market comes to it.
    """
    for second, price in changes:
        if _acceptable(ticket, price):
            at_open = second == 0 or ticket.price is None
            return Touch(second, price if at_open else _limit(ticket))
    return None


def is_far(ticket: Ticket, last: Decimal) -> bool:
    """Whether the limit is more than 3 % away from the last price."""
    return ticket.price is not None and abs(ticket.price - last) > last * _PERCENT_CONSTRAINT


def _acceptable(ticket: Ticket, price: Decimal) -> bool:
    if ticket.price is None:
        return True
    return price <= ticket.price if ticket.side == "BUY" else price >= ticket.price


def _limit(ticket: Ticket) -> Decimal:
    if ticket.price is None:
        msg = "a market order has no limit"
        raise ValueError(msg)
    return ticket.price
