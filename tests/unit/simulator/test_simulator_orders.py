from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.simulator.account import COMMISSION, OPENING_CASH, Fill, cash, positions
from services.simulator.bars import DailyBar
from services.simulator.book import OrderBook
from services.simulator.errors import Refusal
from services.simulator.instruments import Instruments
from services.simulator.market import Market
from services.simulator.settings import Switches
from services.simulator.tape import TapeRow
from services.simulator.tickets import read_ticket

TSLA = 76792991
DAYS = [date(2023, 6, 1), date(2023, 6, 2)]
OPEN = datetime(2023, 6, 1, 13, 30, tzinfo=UTC)
CLOSE = OPEN + timedelta(hours=6, minutes=30)


class TwoDays:
    """200 at the open, between 195 and 210, 205 at the close; on both days."""

    kind = "csv"
    symbols = ("TSLA",)

    def until(self, symbol: str, day: date) -> Sequence[DailyBar]:
        assert symbol == "TSLA"
        prices = (Decimal(200), Decimal(210), Decimal(195), Decimal(205))
        return [DailyBar(d, *prices, 1_000_000) for d in DAYS if d <= day]


def a_book(**switches: Any) -> OrderBook:
    instruments = Instruments(["TSLA"], synthetic=False)
    return OrderBook(Market(TwoDays(), 1), instruments, Switches(**switches))


def body(**changes: Any) -> dict[str, Any]:
    order = {
        "conid": TSLA,
        "side": "BUY",
        "orderType": "LMT",
        "price": Decimal("196.00"),
        "quantity": 5,
        "tif": "DAY",
        "cOID": "one",
    }
    return {"orders": [{k: v for k, v in {**order, **changes}.items() if v is not None}]}


def place(book: OrderBook, now: datetime, **changes: Any) -> Any:
    return book.place(read_ticket(body(**changes)), now, {"o163"}, None)


def test_a_limit_waits_until_the_price_comes_to_it() -> None:
    book = a_book()

    place(book, OPEN)
    early = book.orders(OPEN)[0].status
    order = book.orders(CLOSE)[0]

    assert early == "Submitted"
    assert order.status == "Filled"
    assert order.fill is not None
    assert order.fill.price == Decimal("196.00")
    path = book.market.path("TSLA", TwoDays().until("TSLA", DAYS[0])[0])
    seconds = (order.fill.at - OPEN).total_seconds()
    assert path.price(seconds) <= Decimal(196)
    assert all(price > Decimal(196) for _, price in path.changes(-1, seconds - 1))


def test_when_an_order_is_asked_about_does_not_change_its_fill() -> None:
    often, once = a_book(), a_book()
    place(often, OPEN)
    place(once, OPEN)

    for minute in range(390):
        often.settle(OPEN + timedelta(minutes=minute))

    assert often.fills(CLOSE) == once.fills(CLOSE)


def test_a_market_order_trades_at_the_ask_and_pays_commission() -> None:
    book = a_book()
    now = OPEN + timedelta(minutes=5)
    quote = book.market.quote("TSLA", now)

    place(book, now, orderType="MKT", price=None)

    assert quote is not None
    (fill,) = book.fills(now)
    assert fill.price == quote.ask
    assert cash(book.fills(now)) == OPENING_CASH - 5 * fill.price - COMMISSION


def test_an_order_before_the_bell_trades_at_the_open() -> None:
    book = a_book()

    (answer,) = place(book, CLOSE + timedelta(hours=1), price=Decimal("204.00"))
    waiting = book.orders(CLOSE + timedelta(hours=1))[0].status
    (fill,) = book.fills(OPEN + timedelta(days=1))

    assert answer["order_status"] == waiting == "PreSubmitted"
    assert (fill.price, fill.at) == (Decimal(200), OPEN + timedelta(days=1))


def test_a_day_order_ends_with_its_day_and_leaves_the_list_with_the_next() -> None:
    book = a_book()

    place(book, OPEN, price=Decimal("150.00"))

    assert book.orders(CLOSE)[0].status == "Cancelled"
    assert book.orders(CLOSE)[0].changed == CLOSE
    assert book.orders(CLOSE + timedelta(days=1)) == []


def test_an_immediate_order_trades_or_ends() -> None:
    book = a_book()

    place(book, OPEN, tif="IOC")

    assert book.orders(OPEN)[0].status == "Cancelled"


def test_a_known_client_id_is_refused_in_the_brokers_words() -> None:
    book = a_book()
    place(book, OPEN)

    with pytest.raises(Refusal) as refused:
        place(book, OPEN)

    assert refused.value.status == 200
    assert refused.value.body == {
        "error": "Order couldn't be submitted: Local order ID=one is already registered."
    }


def test_a_far_limit_is_questioned_and_confirmed() -> None:
    book = a_book()
    row = TapeRow("one", "", {})
    ticket = read_ticket(body(price=Decimal("150.00")))

    (question,) = book.place(ticket, OPEN, set(), row)
    unplaced = book.orders(OPEN)
    (answer,) = book.reply(question["id"], OPEN, confirmed=True)

    assert question["messageIds"] == ["o163"]
    assert "price exceeds \nthe Percentage constraint of 3%." in question["message"][0]
    assert unplaced == []
    assert answer["local_order_id"] == "one"
    assert row.accepted


def test_a_declined_question_places_nothing() -> None:
    book = a_book()

    (question,) = book.place(read_ticket(body(price=Decimal(150))), OPEN, set(), None)

    assert book.reply(question["id"], OPEN, confirmed=False) == {"error": "Order not confirmed "}
    assert book.orders(OPEN) == []
    with pytest.raises(Refusal, match="reply id not found"):
        book.reply(question["id"], OPEN, confirmed=True)


@pytest.mark.parametrize("live", [False, True])
def test_another_order_kills_a_pending_question_and_the_order_may_still_go_live(
    live: bool,
) -> None:
    book = a_book(overtaken_question_goes_live=live)
    (question,) = book.place(read_ticket(body(price=Decimal(150))), OPEN, set(), None)

    place(book, OPEN, cOID="two")
    with pytest.raises(Refusal) as refused:
        book.reply(question["id"], OPEN, confirmed=True)

    assert refused.value.status == 503
    assert [o.ticket.client_id for o in book.orders(OPEN)] == (["one", "two"] if live else ["two"])


def test_a_price_between_ticks_fails_and_too_large_an_order_lacks_funds() -> None:
    book = a_book()

    (row,) = place(book, OPEN, price=Decimal("196.001"))
    answer = place(book, OPEN, quantity=1_000_000)

    assert (row["order_id"], row["order_status"]) == ("-1", "Failed")
    assert "Available Funds are in sufficient" in answer["error"]
    assert book.orders(OPEN) == []


def test_a_cancelled_order_does_not_trade_and_cannot_be_cancelled_again() -> None:
    book = a_book()
    (answer,) = place(book, OPEN)

    book.cancel(int(answer["order_id"]), OPEN)

    assert book.fills(CLOSE) == []
    with pytest.raises(Refusal, match="Order is inactive"):
        book.cancel(int(answer["order_id"]), CLOSE)
    with pytest.raises(Refusal, match="OrderID 1 doesn't exist"):
        book.cancel(1, OPEN)


@pytest.mark.parametrize(
    ("changes", "status", "text"),
    [
        ({"side": "HOLD"}, 400, "Invalid Side (must be 'BUY' or 'SELL')."),
        ({"orderType": "STP"}, 400, "Unknown order type"),
        ({"conid": None}, 400, "conid or conidex is required"),
        ({"conid": "x"}, 400, "orders request includes parameter with incorrect type"),
        ({"quantity": "5"}, 400, "orders request includes parameter with incorrect type"),
        ({"price": None}, 200, "Invalid order price fields"),
        ({"tif": None}, 200, "null time in force is not supported for this order"),
    ],
)
def test_a_wrong_order_is_refused_in_the_brokers_words(
    changes: dict[str, Any], status: int, text: str
) -> None:
    with pytest.raises(Refusal) as refused:
        read_ticket(body(**changes))

    assert (refused.value.status, refused.value.body) == (status, {"error": text})


@pytest.mark.parametrize("listing", [1, 2])
def test_the_namesakes_of_a_symbol_cannot_be_traded(listing: int) -> None:
    book = a_book()
    conid = book.instruments.of_symbol("TSLA")[listing].conid

    with pytest.raises(Refusal, match=r"No trading permissions\."):
        place(book, OPEN, conid=conid)


@given(
    st.lists(st.tuples(st.sampled_from(["BUY", "SELL"]), st.integers(1, 50), st.integers(1, 99)))
)
def test_cash_and_positions_are_the_sum_of_fills(trades: list[tuple[Any, int, int]]) -> None:
    fills = [
        Fill(str(n), n, TSLA, "TSLA", side, Decimal(size), Decimal(price), OPEN, None)
        for n, (side, size, price) in enumerate(trades)
    ]

    held = positions(fills).get(TSLA)
    quantity = sum(fill.signed for fill in fills)
    paid = sum(fill.signed * fill.price for fill in fills)

    assert (held.quantity if held else 0) == quantity
    assert cash(fills) == OPENING_CASH - paid - COMMISSION * len(fills)
    if held is not None:
        # What was paid is what is held at cost, less what was earned on the way.
        assert abs(held.average_cost * held.quantity - held.realized - paid) < Decimal("0.0001")
