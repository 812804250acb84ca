"""How many whole shares: the least of what each limit lets through. Pure; US dollars.

Each limit keeps its name from ``limits.yaml``, so that a person sees which one bound.
"""

from dataclasses import dataclass
from decimal import Decimal

from services.execution.book import equity, held
from services.execution.words import number
from shared.events.order import AccountSnapshot
from shared.events.run import Limits

# The stop that the risk budget is reckoned on is this many average true ranges away.
STOP_ATRS = Decimal("1.5")


@dataclass(frozen=True)
class Size:
    """Shares that each limit allows; the least of them is the quantity."""

    allowed: dict[str, Decimal]

    @property
    def quantity(self) -> Decimal:
        """Return whole shares, zero where a limit allows none."""
        return min(self.allowed.values())

    @property
    def bound_by(self) -> str:
        """Return the limit that decided; the first of several."""
        return min(self.allowed, key=lambda name: self.allowed[name])

    def __str__(self) -> str:
        each = ", ".join(f"{name} {number(shares)}" for name, shares in self.allowed.items())
        return f"{number(self.quantity)}, bound by {self.bound_by} (allowed: {each})"


def size_buy(
    symbol: str, ask: Decimal, atr: Decimal, snapshot: AccountSnapshot, limits: Limits
) -> Size:
    """Return the size of a buy at the ask. ``atr`` is in dollars a share, above zero.

    The position is valued at the ask, the others in the exposure at their average price.
    """
    budget = equity(snapshot) * limits.risk_per_trade_percent / 100
    position_room = limits.max_position_notional - held(snapshot, symbol) * ask
    exposure_room = limits.max_gross_exposure - snapshot.gross_exposure
    return Size(
        {
            "risk_per_trade_percent": _shares(budget, STOP_ATRS * atr),
            "max_order_notional": _shares(limits.max_order_notional, ask),
            "max_position_notional": _shares(position_room, ask),
            "max_gross_exposure": _shares(exposure_room, ask),
            "cash": _shares(snapshot.cash, ask),
        }
    )


def size_sell(symbol: str, bid: Decimal, snapshot: AccountSnapshot, limits: Limits) -> Size:
    """Return the size of an exit at the bid: what is held, as far as one order may go.

    Limits of position, exposure and cash do not apply: they must not keep anyone from getting out.
    """
    return Size(
        {
            "position": _shares(held(snapshot, symbol), Decimal(1)),
            "max_order_notional": _shares(limits.max_order_notional, bid),
        }
    )


def _shares(dollars: Decimal, each: Decimal) -> Decimal:
    """Return how many whole shares fit; a limit that is overdrawn allows none."""
    return max(dollars, Decimal(0)) // each
