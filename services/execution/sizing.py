"""How many whole shares: the least of what each limit lets through. Pure; US dollars.

Each limit keeps its name from ``limits.yaml``, so that a person sees which one bound.
"""

from dataclasses import dataclass
from decimal import Decimal

from services.execution.book import equity, exposure, held
from services.execution.words import number
from shared.events.order import AccountSnapshot
from shared.events.run import Limits

# The risk budget is reckoned on a stop no nearer than this many average true ranges.
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
    symbol: str,
    ask: Decimal,
    *,
    atr: Decimal,
    stop_loss: Decimal,
    snapshot: AccountSnapshot,
    limits: Limits,
) -> Size:
    """Return the size of a buy at the ask. ``atr`` is above zero, ``stop_loss`` below the ask.

    A share risks the way to its stop, and never less than ``STOP_ATRS`` ranges, since a price may
    jump over a near one. The position is valued at the ask; the exposure as in ``book.exposure``.
    """
    budget = equity(snapshot) * limits.risk_per_trade_percent / 100
    position_room = limits.max_position_notional - held(snapshot, symbol) * ask
    exposure_room = limits.max_gross_exposure - exposure(snapshot, symbol, ask)
    return Size(
        {
            "risk_per_trade_percent": _shares(budget, max(STOP_ATRS * atr, ask - stop_loss)),
            "max_order_notional": _shares(limits.max_order_notional, ask),
            "max_position_notional": _shares(position_room, ask),
            "max_gross_exposure": _shares(exposure_room, ask),
            "cash": _shares(snapshot.cash, ask),
        }
    )


def size_sell(symbol: str, snapshot: AccountSnapshot) -> Size:
    """Return the size of an exit: all that is held, since no limit may keep anyone in."""
    return Size({"position": _shares(held(snapshot, symbol), Decimal(1))})


def _shares(dollars: Decimal, each: Decimal) -> Decimal:
    """Return how many whole shares fit; a limit that is overdrawn allows none."""
    return max(dollars, Decimal(0)) // each
