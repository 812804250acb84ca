"""Market data that is not good enough is refused with its code."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.marketdata.quality import belong_together, check_bars, check_quote, is_fresh
from shared.events.evidence import Bar
from shared.failures import StepFailedError
from tests.unit.marketdata.market_facts import NOW, TODAY, a_bar, a_quote, days_before, some_bars

AGE = Decimal(15)


def code_of_quote(**change: Any) -> str | None:
    try:
        check_quote(a_quote(**change), NOW, AGE)
    except StepFailedError as e:
        return e.code
    return None


def refusal_of_bars(
    bars: tuple[Bar, ...],
    today: date = TODAY,
    closed: tuple[date, ...] | None = (),
    **quote: Any,
) -> StepFailedError | None:
    try:
        check_bars(bars, a_quote(**quote), today, closed)
    except StepFailedError as e:
        return e
    return None


def code_of_bars(bars: tuple[Bar, ...], today: date = TODAY, **quote: Any) -> str | None:
    refusal = refusal_of_bars(bars, today, **quote)
    return refusal.code if refusal else None


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, None),
        ({"availability": "DPB"}, "not_realtime"),
        ({"availability": "ZBd"}, "not_realtime"),
        ({"availability": "N"}, "not_realtime"),
        ({"at": NOW - timedelta(seconds=15)}, None),
        ({"at": NOW - timedelta(seconds=15.001)}, "stale_quote"),
        ({"at": NOW + timedelta(seconds=1)}, None),
        ({"bid": Decimal("100.20")}, None),
        ({"bid": Decimal("100.21")}, "crossed_quote"),
        ({"prior_close": Decimal("200.21")}, "implausible_quote"),
        ({"prior_close": Decimal("50.04")}, "implausible_quote"),
        ({"prior_close": Decimal("200.20")}, None),
        ({"prior_close": Decimal(0)}, "implausible_quote"),
        ({"prior_close": None}, None),
    ],
)
def test_a_quote_is_of_now_and_of_this_world_or_refused(
    change: dict[str, Any], code: str | None
) -> None:
    assert code_of_quote(**change) == code


def test_freshness_is_market_time() -> None:
    assert is_fresh(a_quote(at=NOW), NOW, Decimal(0))
    assert not is_fresh(a_quote(at=NOW - timedelta(microseconds=1)), NOW, Decimal(0))


def test_good_bars_pass() -> None:
    assert code_of_bars(some_bars(60)) is None


def test_without_bars_or_with_too_few_nothing_is_decided() -> None:
    assert code_of_bars(()) == "no_bars"
    assert code_of_bars(some_bars(59)) == "too_few_bars"


@pytest.mark.parametrize("place", [1, 20, -1])
def test_a_missing_trading_day_is_refused_and_named_wherever_it_is(place: int) -> None:
    bars = some_bars(70)
    without = tuple(bar for bar in bars if bar is not bars[place])

    refusal = refusal_of_bars(without)

    assert refusal is not None
    assert refusal.code == "bad_bars"
    assert f"found none of {bars[place].date}" in refusal.reason
    assert refusal_of_bars(without, closed=(bars[place].date,)) is None


def test_a_bar_of_a_day_without_trading_is_refused() -> None:
    bars = some_bars(70)

    refusal = refusal_of_bars(bars, closed=(bars[20].date,))

    assert refusal is not None
    assert f"found one of {bars[20].date}" in refusal.reason


def test_bars_that_end_before_yesterday_are_refused() -> None:
    assert code_of_bars(some_bars(70), today=TODAY + timedelta(days=1)) == "bad_bars"


def test_every_third_day_is_refused() -> None:
    assert code_of_bars(some_bars(250)[::-3][::-1]) == "bad_bars"


def test_events_of_before_the_closed_days_were_told_are_judged_by_order_and_long_gaps() -> None:
    bars = some_bars(70)
    assert refusal_of_bars((*bars[:20], *bars[24:]), closed=None) is None
    assert refusal_of_bars((*bars[:20], *bars[27:]), closed=None) is not None
    assert refusal_of_bars(bars, today=TODAY + timedelta(days=7), closed=None) is not None
    assert refusal_of_bars((*bars[:20], bars[0], *bars[21:]), closed=None) is not None


def test_bars_out_of_order_or_of_today_are_refused() -> None:
    bars = some_bars(60)
    assert code_of_bars((*bars[:-2], bars[-1], bars[-2])) == "bad_bars"
    assert code_of_bars((*bars, bars[-1])) == "bad_bars"
    assert code_of_bars((*bars, a_bar(TODAY))) == "bad_bars"


def test_a_bar_that_contradicts_itself_is_refused() -> None:
    bars = some_bars(60)
    upside_down = bars[7].model_copy(update={"high": Decimal(1)})
    assert code_of_bars((*bars[:7], upside_down, *bars[8:])) == "bad_bars"


def test_bars_of_another_market_than_the_quote_are_refused() -> None:
    assert code_of_bars(some_bars(60), prior_close=Decimal(102)) is None
    assert code_of_bars(some_bars(60), prior_close=Decimal("102.01")) == "bad_bars"
    assert belong_together((), a_quote())
    assert belong_together(some_bars(1), a_quote(prior_close=None))


def test_the_builder_of_days_skips_weekends() -> None:
    assert {day.weekday() for day in days_before(TODAY, 30)} == {0, 1, 2, 3, 4}
