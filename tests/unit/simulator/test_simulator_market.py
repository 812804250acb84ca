from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.simulator.bars import DailyBar
from services.simulator.history import HistoryBar, Window, history, parse_period
from services.simulator.market import Market
from services.simulator.synthetic import FIRST_DAY, SyntheticBars
from services.simulator.trading_days import is_trading_day

FIRST, LAST = date(2023, 5, 22), date(2023, 6, 9)
OPEN = datetime(2023, 6, 1, 13, 30, tzinfo=UTC)


class BarsWithAnotherFuture:
    """The same bars up to a day, and others after it."""

    kind = "csv"
    symbols = ("TSLA",)

    def __init__(self, changed_after: date | None = None) -> None:
        days = (FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1))
        self.bars = [
            a_bar(day, 300 if changed_after and day > changed_after else 200)
            for day in days
            if is_trading_day(day)
        ]

    def until(self, symbol: str, day: date) -> Sequence[DailyBar]:
        assert symbol == "TSLA"
        return [bar for bar in self.bars if bar.day <= day]


def a_bar(day: date, level: int) -> DailyBar:
    around = Decimal(level + day.day)
    return DailyBar(day, around, around + 5, around - 5, around + 2, 1_000_000 + day.day)


def ask(
    market: Market, now: datetime, period: str, bar: str, end: datetime | None = None
) -> list[HistoryBar]:
    span = parse_period(period)
    assert span is not None
    return history(market, "TSLA", now, Window(span, bar, end))


@settings(max_examples=30, deadline=None)
@given(
    second=st.integers(0, 9 * 86_400),
    bar=st.sampled_from(["1min", "15min", "1h", "1d", "1w", "1m"]),
    period=st.sampled_from(["2h", "1d", "5d", "1w", "1m"]),
)
def test_no_answer_depends_on_what_comes_later(second: int, bar: str, period: str) -> None:
    now = OPEN - timedelta(days=3) + timedelta(seconds=second)
    real = Market(BarsWithAnotherFuture(), 1)
    other = Market(BarsWithAnotherFuture(changed_after=now.date()), 1)

    bars = ask(real, now, period, bar)

    assert real.quote("TSLA", now) == other.quote("TSLA", now)
    assert bars == ask(other, now, period, bar)
    assert all(one.start <= now for one in bars)


@settings(max_examples=30, deadline=None)
@given(second=st.integers(0, 23_399))
def test_todays_bar_is_what_the_quotes_have_shown_so_far(second: int) -> None:
    market = Market(BarsWithAnotherFuture(), 1)
    now = OPEN + timedelta(seconds=second)

    quote, today = market.quote("TSLA", now), ask(market, now, "1d", "1d")[-1]

    assert quote is not None
    assert today.start == OPEN
    assert (today.traded.open, today.traded.high, today.traded.low, today.traded.close) == (
        quote.open,
        quote.high,
        quote.low,
        quote.last,
    )
    assert quote.bid is not None
    assert quote.ask is not None
    assert quote.bid <= quote.last <= quote.ask
    assert quote.bid < quote.ask


@pytest.mark.parametrize(
    ("now", "last", "prior"),
    [
        (OPEN - timedelta(seconds=1), "233", "233"),  # 31 May closed at 200 + 31 + 2
        (OPEN + timedelta(seconds=23_400), "203", "233"),
        (datetime(2023, 6, 4, 12, tzinfo=UTC), "204", "204"),
    ],
)
def test_outside_the_session_there_is_a_close_and_no_bid_or_ask(
    now: datetime, last: str, prior: str
) -> None:
    quote = Market(BarsWithAnotherFuture(), 1).quote("TSLA", now)

    assert quote is not None
    assert not quote.live
    assert (quote.last, quote.prior_close) == (Decimal(last), Decimal(prior))
    assert quote.bid is quote.ask is None


def test_past_the_last_row_there_is_no_quote_and_history_ends() -> None:
    market = Market(BarsWithAnotherFuture(), 1)
    weekend = datetime(2023, 6, 10, 12, tzinfo=UTC)
    monday = datetime(2023, 6, 12, 13, 30, tzinfo=UTC)

    assert market.quote("TSLA", weekend) is not None
    assert market.quote("TSLA", monday) is None
    assert ask(market, monday, "5d", "1d")[-1].start.date() == LAST


def test_a_window_ends_before_its_end() -> None:
    market = Market(BarsWithAnotherFuture(), 1)
    end = datetime(2023, 5, 30, 15, tzinfo=UTC)

    bars = ask(market, OPEN, "1d", "1h", end)

    assert [bar.start.hour for bar in bars] == [13, 14]


def test_a_period_of_hours_counts_hours_of_trading() -> None:
    market = Market(BarsWithAnotherFuture(), 1)

    bars = ask(market, OPEN + timedelta(seconds=90), "10min", "1min")

    assert len(bars) == 10
    assert bars[-1].start == OPEN + timedelta(seconds=60)
    assert bars[0].start.date() == date(2023, 5, 31)


def test_weeks_and_months_are_made_of_their_days() -> None:
    market = Market(BarsWithAnotherFuture(), 1)
    now = datetime(2023, 6, 9, 21, tzinfo=UTC)

    weeks, days = ask(market, now, "3w", "1w"), ask(market, now, "3w", "1d")

    assert sum(bar.traded.volume for bar in weeks) == sum(bar.traded.volume for bar in days)
    assert [bar.start.date().isoformat() for bar in weeks] == [
        "2023-05-22",
        "2023-05-30",
        "2023-06-05",
    ]
    assert len(ask(market, now, "1y", "1m")) == 2


@pytest.mark.parametrize("text", ["", "d", "0d", "1x", "31min", "9h", "1001d", "16y", "-1d"])
def test_a_period_that_does_not_exist_is_none(text: str) -> None:
    assert parse_period(text) is None


def test_made_up_bars_do_not_depend_on_how_far_they_were_asked_for() -> None:
    far, near = SyntheticBars(3), SyntheticBars(3)
    day = date(2014, 3, 3)

    far.until("NVDA", date(2020, 1, 2))

    assert list(far.until("NVDA", day)) == list(near.until("NVDA", day))
    assert near.until("NVDA", FIRST_DAY)[0].day == FIRST_DAY
    assert list(SyntheticBars(4).until("NVDA", day)) != list(near.until("NVDA", day))
    assert all(b.low <= min(b.open, b.close) <= b.high for b in near.until("NVDA", day))
