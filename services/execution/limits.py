"""Whether an order keeps the limits of its account, whatever sized it. Pure; US dollars."""

from decimal import Decimal

from services.execution.book import held
from services.execution.words import number
from shared.events.base import Check
from shared.events.order import AccountSnapshot, Order
from shared.events.run import Limits


def within_limits(
    symbol: str, order: Order, snapshot: AccountSnapshot, limits: Limits
) -> tuple[Check, ...]:
    """Return the checks of an order against its account.

    A sell only closes what is held, so limits of position, exposure and cash do not apply to it:
    a protection that keeps anyone from getting out is none.
    """
    notional = order.quantity * order.limit_price
    size = _at_most("order_notional", notional, limits.max_order_notional)
    if order.side == "SELL":
        return (size, _at_most("no_short_position", order.quantity, held(snapshot, symbol)))
    position = (held(snapshot, symbol) + order.quantity) * order.limit_price
    exposure = snapshot.gross_exposure + notional
    return (
        size,
        _at_most("position_notional", position, limits.max_position_notional),
        _at_most("gross_exposure", exposure, limits.max_gross_exposure),
        _at_most("cash", notional, snapshot.cash),
    )


def _at_most(name: str, found: Decimal, most: Decimal) -> Check:
    return Check(
        name=name, passed=found <= most, required=f"at most {number(most)}", found=number(found)
    )
