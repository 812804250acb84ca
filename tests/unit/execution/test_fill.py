from decimal import Decimal

import pytest

from services.execution.book import Side
from services.execution.fill import NotMarketableError, simulate
from shared.events.order import Order
from tests.unit.execution.builders import NOW, a_quote


def an_order(side: Side, limit: str) -> Order:
    return Order(
        side=side, quantity=Decimal(3), order_type="LMT", limit_price=Decimal(limit), tif="DAY"
    )


@pytest.mark.parametrize(
    ("side", "limit", "price"), [("BUY", "101", "100"), ("SELL", "99", "99.5")]
)
def test_a_marketable_limit_is_filled_whole_at_the_other_side_of_the_quote(
    side: Side, limit: str, price: str
) -> None:
    fill = simulate(an_order(side, limit), a_quote(bid="99.5", ask="100"), NOW)

    assert (fill.price, fill.quantity, fill.at) == (Decimal(price), Decimal(3), NOW)
    assert fill.simulated


@pytest.mark.parametrize(("side", "limit"), [("BUY", "99.99"), ("SELL", "99.51")])
def test_a_limit_that_the_quote_does_not_reach_is_never_filled(side: Side, limit: str) -> None:
    with pytest.raises(NotMarketableError, match=f"found {side} at {limit}"):
        simulate(an_order(side, limit), a_quote(bid="99.5", ask="100"), NOW)
