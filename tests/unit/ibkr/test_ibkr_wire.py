"""Values of the wire, with all their flags, suffixes and gaps."""

import string
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ibkr.wire import Number, conid, decimal, instant, number, plain


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("225.54", "225.54"),
        ("1,300", "1300"),
        ("21.7K", "21700"),
        ("83.9M", "83900000"),
        ("1.2B", "1200000000"),
        ("0.54%", "0.54"),
        ("-1.20", "-1.2"),
        ("+1.20", "1.2"),
        ("0", "0"),
        ("0.00", "0"),
        (0, "0"),
        (0.54, "0.54"),
        (Decimal("646.420"), "646.42"),
        (1300, "1300"),
    ],
)
def test_a_number_is_read_in_every_form_it_comes_in(raw: object, expected: str) -> None:
    assert decimal(raw) == Decimal(expected)
    assert str(decimal(raw)) == expected


@pytest.mark.parametrize(
    "raw", ["", "N/A", "C", "H", "-", "abc", "1.2.3", "NaN", "Infinity", None, True, [], {}, "٣"]
)
def test_what_says_nothing_is_none_and_never_zero(raw: object) -> None:
    assert number(raw) is None


@pytest.mark.parametrize(
    "bare", [float("nan"), float("inf"), Decimal("NaN"), Decimal("1e999"), 10**18]
)
def test_a_bare_number_that_is_not_finite_or_absurd_is_none(bare: object) -> None:
    assert number(bare) is None


def test_a_long_number_is_read_or_none_but_no_error() -> None:
    assert decimal("9" * 18 + "B") == Decimal("9" * 18 + "0" * 9)
    assert decimal("9" * 19) is decimal("9" * 40) is None


def test_the_flag_of_a_price_is_kept() -> None:
    assert number("C225.54") == Number(Decimal("225.54"), "C")
    assert number("H1,225.5") == Number(Decimal("1225.5"), "H")


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=4))
def test_a_number_written_with_commas_is_read_back(value: Decimal) -> None:
    assert decimal(f"{value:,}") == value


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=8))
def test_equal_numbers_have_one_plain_form(value: Decimal) -> None:
    assert plain(value) == value
    assert str(plain(value)) == str(plain(value + Decimal("0.000000")))
    assert "E+" not in str(plain(value))


@given(
    st.text()
    | st.text(alphabet=string.digits + "CHKMB%.,+-")
    | st.floats()
    | st.integers()
    | st.none()
)
def test_no_value_is_an_error(raw: object) -> None:
    number(raw)
    conid(raw)
    instant(raw)


def test_a_contract_id_is_a_string_here_and_an_integer_there() -> None:
    assert conid("4815747") == conid(4815747) == 4815747
    assert [conid(raw) for raw in (None, "", "x", True, 0, -1, 1.5)] == [None] * 7


def test_an_instant_is_milliseconds_in_utc() -> None:
    assert instant(1712596911593) == datetime(2024, 4, 8, 17, 21, 51, 593000, UTC)
    assert instant("1712596911593") == instant(1712596911593)
    assert instant("soon") is None
