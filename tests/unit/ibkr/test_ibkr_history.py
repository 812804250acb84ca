"""Answers of the history endpoint as daily bars."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from shared.events.evidence import Bar
from shared.ibkr.errors import BadBarsError
from shared.ibkr.history import daily_bars

TODAY = date(2026, 3, 11)


def row(day: date, **change: Any) -> dict[str, Any]:
    opens = datetime(day.year, day.month, day.day, 13, 30, tzinfo=UTC)
    start = int(opens.timestamp() * 1000)
    return {"o": 10, "h": 12, "l": 9, "c": 11, "v": Decimal("17219.125"), "t": start} | change


def answer(*rows: Any, **change: Any) -> dict[str, Any]:
    return {"barLength": 86400, "volumeFactor": 40, "data": list(rows)} | change


def test_volume_is_in_shares_and_the_day_is_that_of_new_york() -> None:
    assert daily_bars(answer(row(date(2026, 3, 10))), TODAY) == (
        Bar(
            date=date(2026, 3, 10),
            open=Decimal(10),
            high=Decimal(12),
            low=Decimal(9),
            close=Decimal(11),
            volume=Decimal(688765),
        ),
    )


def test_the_unfinished_day_is_dropped() -> None:
    days = [TODAY - timedelta(days=2), TODAY - timedelta(days=1), TODAY]
    bars = daily_bars(answer(*map(row, days)), TODAY)
    assert [bar.date for bar in bars] == days[:2]


def test_no_data_is_no_bars() -> None:
    assert daily_bars(answer(), TODAY) == ()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"h": 8, "l": 9}, "high 8 is below low 9"),
        ({"o": 13}, "open 13 or close 11 is outside 9-12"),
        ({"c": 8}, "open 10 or close 8 is outside 9-12"),
        ({"l": 0, "o": 1, "c": 1}, "low 0 is not above zero"),
        ({"v": -1}, "volume -40 is below zero"),
        ({"c": None}, "expected o, h, l, c, v and t"),
        ({"t": None}, "expected o, h, l, c, v and t"),
        # Saturday: a start at midnight UTC would be read as the day before.
        ({"t": 1772928000000}, "2026-03-07 is no trading day"),
    ],
)
def test_a_bar_that_no_market_made_is_refused_with_the_reason(
    change: dict[str, Any], why: str
) -> None:
    with pytest.raises(BadBarsError, match=why):
        daily_bars(answer(row(date(2026, 3, 10), **change)), TODAY)


def test_bars_of_another_size_than_asked_are_refused() -> None:
    with pytest.raises(BadBarsError, match="barLength 60"):
        daily_bars(answer(row(date(2026, 3, 10)), barLength=60), TODAY)


@pytest.mark.parametrize("factor", [None, 0, "x"])
def test_bars_of_unknown_volume_are_refused(factor: object) -> None:
    with pytest.raises(BadBarsError, match="volumeFactor"):
        daily_bars(answer(volumeFactor=factor), TODAY)


def test_days_out_of_order_or_twice_are_refused() -> None:
    day = date(2026, 3, 10)
    for earlier in (day, day + timedelta(days=1)):
        with pytest.raises(BadBarsError, match="in order"):
            daily_bars(answer(row(earlier), row(day)), TODAY)


@pytest.mark.parametrize("shape", [None, [], {}, {"data": None}, {"data": "x"}])
def test_what_has_no_data_is_refused(shape: Any) -> None:
    with pytest.raises(BadBarsError, match="list `data`"):
        daily_bars(shape, TODAY)


def test_a_row_that_is_no_object_is_refused() -> None:
    with pytest.raises(BadBarsError):
        daily_bars(answer([1, 2]), TODAY)
