"""Rows of market data as quotes."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from shared.events.evidence import Quote
from shared.ibkr.errors import BadAnswerError
from shared.ibkr.snapshot import NoQuote, read

ROW: dict[str, Any] = {
    "31": "225.54",
    "84": "225.50",
    "86": "225.60",
    "85": "600",
    "88": "1,300",
    "7762": "83916700",
    "7741": "224.00",
    "6509": "RpB",
    "_updated": 1712596911593,
    "conid": 4815747,
}


def quote(**change: Any) -> Quote | NoQuote:
    row = {name: value for name, value in (ROW | change).items() if value is not None}
    return read([{"conid": 1, "31": "1.00"}, row], 4815747)


def test_a_row_is_a_quote_with_each_field_in_its_place() -> None:
    assert quote() == Quote(
        last=Decimal("225.54"),
        bid=Decimal("225.5"),
        ask=Decimal("225.6"),
        bid_size=Decimal(1300),
        ask_size=Decimal(600),
        prior_close=Decimal(224),
        volume=Decimal(83916700),
        at=datetime(2024, 4, 8, 17, 21, 51, 593000, UTC),
        availability="RpB",
    )


def test_the_first_answer_of_a_session_says_what_is_missing() -> None:
    found = read([{"conid": 4815747, "conidEx": "4815747"}], 4815747)
    assert isinstance(found, NoQuote)
    assert found.why.startswith("last (31) is absent; bid (84) is absent; ask (86) is absent")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"31": "C225.54"}, "last (31) is the previous close, not a trade of today"),
        ({"31": "H225.54"}, "last (31) is halted"),
        ({"84": "0"}, "bid (84) is 0, expected above zero"),
        ({"86": "-1.00"}, "ask (86) is -1, expected above zero"),
        ({"86": ""}, "ask (86) is absent"),
        ({"_updated": None}, "the time (_updated) is absent"),
        ({"6509": None}, "the availability (6509) is absent"),
    ],
)
def test_what_is_no_price_of_now_is_no_quote(change: dict[str, Any], why: str) -> None:
    assert quote(**change) == NoQuote(why)


def test_what_is_not_needed_may_be_absent_and_zero_is_a_size() -> None:
    found = quote(**{"85": "0", "88": None, "7762": "N/A"})
    assert isinstance(found, Quote)
    assert (found.ask_size, found.bid_size) == (Decimal(0), None)
    assert found.volume is None


def test_the_prior_close_may_have_a_prefix() -> None:
    found = quote(**{"7741": "C1,208.48"})
    assert isinstance(found, Quote)
    assert found.prior_close == Decimal("1208.48")


def test_the_row_of_another_contract_is_never_taken() -> None:
    assert read([ROW], 76792991) == NoQuote("the broker sent no row for contract 76792991")


def test_a_contract_id_in_a_string_is_the_same_contract() -> None:
    assert isinstance(read([ROW | {"conid": "4815747"}], 4815747), Quote)


def test_what_is_no_list_is_a_bad_answer() -> None:
    with pytest.raises(BadAnswerError, match="expected a list"):
        read({"31": "1"}, 4815747)
