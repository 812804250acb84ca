"""Historical bars at an instant: finished ones, and the unfinished one as far as it has come."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import groupby

from services.simulator.bars import DailyBar
from services.simulator.market import Market
from services.simulator.path import Slice
from services.simulator.trading_days import exchange_date, hours

MAX_POINTS = 1000

_DAY_S, _WEEK_S, _MONTH_S = 86_400, 604_800, 2_592_000
BAR_SECONDS = {
    **{f"{n}min": n * 60 for n in (1, 2, 3, 5, 10, 15, 30)},
    **{f"{n}h": n * 3600 for n in (1, 2, 3, 4, 8)},
    "1d": _DAY_S,
    "1w": _WEEK_S,
    "1m": _MONTH_S,
}
_PERIOD = re.compile(r"([1-9]\d{0,3})(min|h|d|w|m|y)")
_MOST = {"min": 30, "h": 8, "d": 1000, "w": 792, "m": 182, "y": 15}
# The bar that an unknown name falls back to, by the unit of the period.
_DEFAULT_BAR = {"min": "1min", "h": "1min", "d": "1min", "w": "15min", "m": "1h", "y": "1d"}


@dataclass(frozen=True, slots=True)
class Period:
    """How far back: ``count`` of ``unit`` (min, h, d, w, m, y), in time of trading."""

    count: int
    unit: str

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"

    @property
    def default_bar(self) -> str:
        """The bar size used where the request names none that exists."""
        return _DEFAULT_BAR[self.unit]


@dataclass(frozen=True, slots=True)
class Window:
    """Which bars are asked for. ``end``: no bar that starts then or later; None: up to now."""

    period: Period
    bar: str
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class HistoryBar:
    """A bar and the instant at which it starts, UTC."""

    start: datetime
    traded: Slice


def parse_period(text: str) -> Period | None:
    """Return the period of a request, or None where there is no such period."""
    match = _PERIOD.fullmatch(text)
    if match is None or int(match[1]) > _MOST[match[2]]:
        return None
    return Period(int(match[1]), match[2])


def history(market: Market, symbol: str, now: datetime, window: Window) -> list[HistoryBar]:
    """Return the bars of a window as known ``now``, oldest first, MAX_POINTS at most."""
    period, bar = window.period, window.bar
    last_start = now if window.end is None else min(window.end - timedelta.resolution, now)
    days = _days(market.bars.until(symbol, exchange_date(last_start)), last_start, window)
    if BAR_SECONDS[bar] >= _DAY_S:
        bars = _grouped((_whole(market, symbol, day, now) for day in days), bar)
    else:
        bars = [
            piece
            for day in days
            for piece in _pieces(market, symbol, day, BAR_SECONDS[bar], now)
            if piece.start <= last_start
        ]
    return bars[-_points(period, bar) :]


def _days(days: Sequence[DailyBar], last_start: datetime, window: Window) -> Sequence[DailyBar]:
    period, bar = window.period, window.bar
    if days and hours(days[-1].day).open > last_start:
        days = days[:-1]
    if not days:
        return days
    if period.unit in ("min", "h"):
        return days[-2:]
    if period.unit == "d":
        return _enough(days[-period.count :], bar)
    first = _first_day(days[-1].day, period)
    return _enough([day for day in days if day.day > first], bar)


def _enough(days: Sequence[DailyBar], bar: str) -> Sequence[DailyBar]:
    """Return the newest days that fill an answer, so that no path is drawn only to be cut off."""
    if BAR_SECONDS[bar] >= _DAY_S:
        return days
    points = 0
    for count, day in enumerate(reversed(days), start=1):
        points += -(-hours(day.day).seconds // BAR_SECONDS[bar])
        if points >= MAX_POINTS:
            return days[-count:]
    return days


def _first_day(last: date, period: Period) -> date:
    """Return the day after which the window starts."""
    if period.unit == "w":
        return last - timedelta(weeks=period.count)
    months = last.year * 12 + last.month - 1 - period.count * (12 if period.unit == "y" else 1)
    year, month = divmod(months, 12)
    # The shortest month has 28 days; from the 29th on the window is a few days longer.
    return date(year, month + 1, min(last.day, 28))


def _points(period: Period, bar: str) -> int:
    if period.unit not in ("min", "h"):
        return MAX_POINTS
    seconds = period.count * (60 if period.unit == "min" else 3600)
    return max(1, -(-seconds // BAR_SECONDS[bar]))


def _whole(market: Market, symbol: str, day: DailyBar, now: datetime) -> HistoryBar:
    session = hours(day.day)
    second = (now - session.open).total_seconds()
    if second >= session.seconds:
        traded = Slice(day.open, day.high, day.low, day.close, day.volume)
    else:
        traded = market.path(symbol, day).slice(0, session.seconds, second)
    return HistoryBar(session.open, traded)


def _pieces(
    market: Market, symbol: str, day: DailyBar, length: int, now: datetime
) -> Iterator[HistoryBar]:
    session = hours(day.day)
    path = market.path(symbol, day)
    known = (now - session.open).total_seconds()
    for first in range(0, session.seconds, length):
        if first > known:
            return
        until = min(first + length, session.seconds)
        start = session.open + timedelta(seconds=first)
        yield HistoryBar(start, path.slice(first, until, known))


def _grouped(days: Iterable[HistoryBar], bar: str) -> list[HistoryBar]:
    if bar == "1d":
        return list(days)
    return [_merge(list(group)) for _, group in groupby(days, _week if bar == "1w" else _month)]


def _week(bar: HistoryBar) -> tuple[int, int]:
    return bar.start.isocalendar()[:2]


def _month(bar: HistoryBar) -> tuple[int, int]:
    return bar.start.year, bar.start.month


def _merge(bars: list[HistoryBar]) -> HistoryBar:
    traded = [bar.traded for bar in bars]
    whole = Slice(
        open=traded[0].open,
        high=max(piece.high for piece in traded),
        low=min(piece.low for piece in traded),
        close=traded[-1].close,
        volume=sum(piece.volume for piece in traded),
    )
    return HistoryBar(bars[0].start, whole)


def extremes(bars: Sequence[HistoryBar]) -> tuple[HistoryBar, HistoryBar]:
    """Return the bar with the highest high and the one with the lowest low."""

    def high(bar: HistoryBar) -> Decimal:
        return bar.traded.high

    def low(bar: HistoryBar) -> Decimal:
        return bar.traded.low

    return max(bars, key=high), min(bars, key=low)
