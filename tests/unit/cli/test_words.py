from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.terminal import one_line, safe
from cli.words import countdown, duration, exchange_time, number, price, wall_time


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 ms"),
        (0.0125, "12 ms"),
        (1.239, "1.24 s"),
        (59.9, "59.90 s"),
        (61, "1 min 01 s"),
        (7_500, "2 h 05 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_durations_are_short(seconds: float, words: str) -> None:
    assert duration(seconds) == words


@pytest.mark.parametrize(("seconds", "words"), [(9.2, "10 s"), (0.01, "1 s"), (-3, "0 s")])
def test_a_countdown_reaches_zero_at_the_bell_and_not_before(seconds: float, words: str) -> None:
    assert countdown(timedelta(seconds=seconds)) == words


def test_exchange_time_knows_summer_time() -> None:
    assert exchange_time(datetime(2023, 6, 5, 13, 30, tzinfo=UTC)).endswith("09:30:00 New York")
    assert exchange_time(datetime(2023, 1, 5, 14, 30, tzinfo=UTC)).endswith("09:30:00 New York")


def test_wall_time_has_milliseconds() -> None:
    assert wall_time(datetime(2026, 1, 5, 1, 2, 3, 45_678, UTC)) == "2026-01-05 01:02:03.045"


@pytest.mark.parametrize(
    ("value", "words"),
    [("0", "0.00"), ("184", "184.00"), ("1084.5", "1,084.50"), ("0.0312", "0.0312")],
)
def test_a_price_shows_cents_and_what_is_finer(value: str, words: str) -> None:
    assert price(Decimal(value)) == words


def test_zero_is_a_value_and_none_is_not() -> None:
    assert (number(Decimal("0E+2")), number(0.0), number(None)) == ("0", "0", "-")
    assert price(None) == "-"


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4))
def test_numbers_lose_no_digit(value: Decimal) -> None:
    assert Decimal(number(value).replace(",", "")) == value


@given(st.text())
def test_text_of_others_cannot_steer_the_terminal(text: str) -> None:
    assert all(c.isprintable() or c in "\n\t" for c in safe(text))


@given(st.text(max_size=300), st.integers(min_value=1, max_value=100))
def test_one_line_is_one_line_and_no_longer(text: str, longest: int) -> None:
    line = one_line(text, longest)

    assert len(line) <= longest
    assert line.isprintable()
