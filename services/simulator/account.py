"""What an account holds after its fills."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from services.simulator.tickets import Side

OPENING_CASH = Decimal(1_000_000)
COMMISSION = Decimal(1)
# The share of a position's value that has to be covered by the account's own money.
INITIAL_MARGIN = Decimal("0.5")
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution. ``price`` in dollars a share."""

    execution_id: str
    order_id: int
    conid: int
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    at: datetime
    client_id: str | None

    @property
    def signed(self) -> Decimal:
        """The change of the position."""
        return self.quantity if self.side == "BUY" else -self.quantity


@dataclass(frozen=True, slots=True)
class Position:
    """A holding; short ones are negative. ``average_cost`` in dollars a share."""

    conid: int
    symbol: str
    quantity: Decimal = ZERO
    average_cost: Decimal = ZERO
    realized: Decimal = ZERO


def positions(fills: Iterable[Fill]) -> dict[int, Position]:
    """Return the positions by conid after fills in order, closed ones included."""
    held: dict[int, Position] = {}
    for fill in fills:
        before = held.get(fill.conid, Position(fill.conid, fill.symbol))
        held[fill.conid] = _after(before, fill)
    return held


def cash(fills: Iterable[Fill]) -> Decimal:
    """Return the cash after fills and their commissions."""
    return OPENING_CASH - sum((fill.signed * fill.price + COMMISSION for fill in fills), ZERO)


def _after(before: Position, fill: Fill) -> Position:
    quantity = before.quantity + fill.signed
    closed = min(abs(before.quantity), fill.quantity) if before.quantity * fill.signed < 0 else ZERO
    gain = (fill.price - before.average_cost) * closed
    realized = before.realized + (gain if before.quantity > 0 else -gain)
    if not closed:
        cost = before.average_cost * before.quantity + fill.price * fill.signed
        average = cost / quantity
    elif closed < fill.quantity:
        # The fill turned the position around: the rest of it is new.
        average = fill.price
    else:
        average = before.average_cost if quantity else ZERO
    return Position(before.conid, before.symbol, quantity, average, realized)
