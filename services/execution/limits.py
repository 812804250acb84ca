"""Whether an order keeps the limits of its account, whatever sized it. Pure; US dollars."""

from decimal import Decimal

from services.execution.book import exposure, held
from services.execution.words import number
from shared.events.base import Check
from shared.events.order import AccountSnapshot, Order
from shared.events.run import Limits


def within_limits(
    symbol: str, order: Order, snapshot: AccountSnapshot, limits: Limits
) -> tuple[Check, ...]:
    """Return the checks of an order against its account.

    A sell only closes what is held, so no limit in dollars applies to it: a protection that keeps
    anyone from getting out is none. A buy counts with the position of its symbol at its own price,
    or at their average where that is higher (``book.exposure``).
    """
    if order.side == "SELL":
        return (_only_closes(order.quantity, held(snapshot, symbol)),)
    notional = order.quantity * order.limit_price
    position = (held(snapshot, symbol) + order.quantity) * order.limit_price
    gross = exposure(snapshot, symbol, order.limit_price) + notional
    return (
        _at_most("order_notional", notional, limits.max_order_notional),
        _at_most("position_notional", position, limits.max_position_notional),
        _at_most("gross_exposure", gross, limits.max_gross_exposure),
        _at_most("cash", notional, snapshot.cash),
    )


def _only_closes(quantity: Decimal, shares: Decimal) -> Check:
    return Check(
        name="no_short_position",
        passed=quantity <= shares,
        required=f"at most the {number(shares)} held; an exit has no limit in dollars",
        found=number(quantity),
    )


def _at_most(name: str, found: Decimal, most: Decimal) -> Check:
    return Check(
        name=name, passed=found <= most, required=f"at most {number(most)}", found=number(found)
    )
