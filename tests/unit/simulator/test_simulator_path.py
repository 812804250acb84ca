from datetime import date
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from services.simulator.bars import DailyBar
from services.simulator.path import STEP_S, day_path
from services.simulator.trading_days import hours

# Written down once: a change of the path is a change of every recorded demo.
GOLDEN = ["200.60", "207.59", "195.99"]
DAY, SHORT_DAY = date(2023, 6, 1), date(2023, 11, 24)


@st.composite
def daily_bars(draw: st.DrawFn) -> DailyBar:
    low, opened, close, high = (
        Decimal(c).scaleb(-2)
        for c in sorted(draw(st.lists(st.integers(1, 50_000), min_size=4, max_size=4)))
    )
    if draw(st.booleans()):
        opened, close = close, opened
    day = draw(st.sampled_from([DAY, SHORT_DAY]))
    return DailyBar(day, opened, high, low, close, draw(st.integers(0, 10**9)))


@settings(max_examples=25, deadline=None)
@given(bar=daily_bars(), seed=st.integers(0, 2**32))
def test_a_path_goes_through_open_high_low_and_close_and_stays_in_the_range(
    bar: DailyBar, seed: int
) -> None:
    session = hours(bar.day)
    path = day_path(seed, "TSLA", bar, session)

    prices = [path.price(second) for second in range(0, session.seconds + 1, STEP_S)]

    assert (prices[0], prices[-1]) == (bar.open, bar.close)
    assert (max(prices), min(prices)) == (bar.high, bar.low)
    assert bar.high in prices[1:-1]
    assert bar.low in prices[1:-1]
    assert path.volume(session.seconds) == bar.volume
    assert path.volume(0) == 0


@settings(max_examples=25, deadline=None)
@given(
    bar=daily_bars(), now=st.integers(0, 23_400), length=st.sampled_from([60, 300, 3600, 28_800])
)
def test_bars_are_what_a_listener_to_the_prices_saw(bar: DailyBar, now: int, length: int) -> None:
    session = hours(bar.day)
    path = day_path(1, "TSLA", bar, session)
    first = now // length * length
    if first >= session.seconds:
        return

    seen = [path.price(second) for second in range(first, min(now, session.seconds) + 1, STEP_S)]
    cut = path.slice(first, min(first + length, session.seconds), now)

    assert (cut.open, cut.high, cut.low, cut.close) == (seen[0], max(seen), min(seen), seen[-1])
    assert cut.volume == path.volume(now) - path.volume(first)


@settings(max_examples=25, deadline=None)
@given(bar=daily_bars())
def test_volume_never_falls_and_bars_of_a_day_add_up(bar: DailyBar) -> None:
    session = hours(bar.day)
    path = day_path(1, "TSLA", bar, session)

    volumes = [path.volume(second) for second in range(0, session.seconds + 1, 7)]
    pieces = [
        path.slice(first, first + 60, session.seconds) for first in range(0, session.seconds, 60)
    ]

    assert volumes == sorted(volumes)
    assert sum(piece.volume for piece in pieces) == bar.volume
    assert max(piece.high for piece in pieces) == bar.high
    assert (pieces[0].open, pieces[-1].close) == (bar.open, bar.close)


def test_the_same_question_has_the_same_answer_in_every_process() -> None:
    bar = DailyBar(DAY, Decimal(200), Decimal(210), Decimal(195), Decimal(205), 1_000_000)
    day_path.cache_clear()
    before = day_path(7, "TSLA", bar, hours(DAY))
    day_path.cache_clear()

    again = day_path(7, "TSLA", bar, hours(DAY))

    assert again == before
    assert again != day_path(8, "TSLA", bar, hours(DAY))
    assert [str(again.price(second)) for second in (60, 3600, 20_000)] == GOLDEN
