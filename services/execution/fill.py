"""The simulated fill of a dry run, against the captured quote."""

from datetime import datetime

from shared.events.evidence import Quote
from shared.events.order import Fill, Order


class NotMarketableError(Exception):
    """A limit that the quote does not reach: no fill exists, and none is made up."""


def simulate(order: Order, quote: Quote, at: datetime) -> Fill:
    """Return the fill of a marketable limit order: whole, at the ask (BUY) or the bid (SELL).

    Raises NotMarketableError; our orders are limited at exactly that price: for them it is a bug.
    """
    price = quote.ask if order.side == "BUY" else quote.bid
    reached = order.limit_price >= price if order.side == "BUY" else order.limit_price <= price
    if not reached:
        msg = f"expected a limit that {price} reaches, found {order.side} at {order.limit_price}"
        raise NotMarketableError(msg)
    return Fill(price=price, quantity=order.quantity, at=at, simulated=True)
