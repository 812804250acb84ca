from datetime import UTC, datetime
from decimal import Decimal

import pytest

from services.simulator import snapshot, wire
from services.simulator.instruments import Instruments
from services.simulator.market import Quote

AT = datetime(2023, 6, 1, 14, tzinfo=UTC)


def a_quote(**changes: object) -> Quote:
    values = {
        "symbol": "NVDA",
        "at": AT,
        "live": True,
        "last": Decimal("1225.60"),
        "prior_close": Decimal("1200.00"),
        "average_volume": 45_600_000,
        "bid": Decimal("1225.50"),
        "ask": Decimal("1225.70"),
        "bid_size": 1300,
        "ask_size": 600,
        "volume": 21_700,
    }
    return Quote(**{**values, **changes})  # type: ignore[arg-type]  # a builder for tests


def a_row(quote: Quote | None, *fields: str) -> snapshot.Row:
    contract = Instruments(["NVDA"], synthetic=False).of_symbol("NVDA")[0]
    return snapshot.row(contract, quote, fields)


@pytest.mark.parametrize(
    ("shares", "text"),
    [(0, "0"), (999, "999"), (21_700, "21.7K"), (999_960, "1.0M"), (83_916_700, "83.9M")],
)
def test_volume_is_short(shares: int, text: str) -> None:
    assert wire.volume(shares) == text


def test_values_are_text_with_commas_and_85_is_a_size() -> None:
    row = a_row(a_quote(), "31", "84", "85", "86", "88", "87", "7762", "82", "83", "55")

    assert row == {
        "31": "1,225.60",
        "84": "1,225.50",
        "85": "600",
        "86": "1,225.70",
        "88": "1,300",
        "87": "21.7K",
        "87_raw": 21700.0,
        "7762": "21700",
        "82": "25.60",
        "83": "2.13%",
        "55": "NVDA",
        "6119": "q1",
        "6509": "RpB",
        "_updated": 1685628000000,
        "conid": 4815747,
        "conidEx": "4815747",
        "server_id": "q1",
    }


def test_a_close_wears_its_prefix_and_what_is_unknown_has_no_key() -> None:
    row = a_row(a_quote(live=False, bid=None, ask=None), "31", "84", "86", "7296")

    assert row["31"] == "C1,225.60"
    assert not {"84", "86", "7296"} & row.keys()
    assert row["6509"] == "ZBd"


def test_a_symbol_without_data_has_no_live_values() -> None:
    row = a_row(None, "31", "55")

    assert row["6509"] == "N"
    assert row["55"] == "NVDA"
    assert not {"31", "_updated"} & row.keys()


def test_times_have_the_forms_of_their_endpoints() -> None:
    assert wire.stamp(AT) == "20230601-14:00:00"
    assert wire.short_stamp(AT) == "230601140000"
