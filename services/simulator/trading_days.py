"""Days and hours of the New York exchanges, by their published rules.

A calendar library costs seconds and tens of megabytes at every start; the rules since 2013 fit on
a page. A test compares them with that library, day by day.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")

_OPEN = time(9, 30)
_CLOSE = time(16)
_EARLY_CLOSE = time(13)

_MONDAY, _THURSDAY, _SATURDAY, _SUNDAY = 0, 3, 5, 6
_JUNETEENTH_SINCE = 2022

# National days of mourning since 2013.
_MOURNING = frozenset({date(2018, 12, 5), date(2025, 1, 9)})


@dataclass(frozen=True, slots=True)
class Hours:
    """Regular hours of one trading day, as UTC instants."""

    day: date
    open: datetime
    close: datetime

    @property
    def seconds(self) -> int:
        """The length of the session."""
        return int((self.close - self.open).total_seconds())


def is_trading_day(day: date) -> bool:
    """Whether the exchange opens on this day."""
    return day.weekday() < _SATURDAY and day not in _holidays(day.year) and day not in _MOURNING


@lru_cache(maxsize=4096)
def hours(day: date) -> Hours:
    """Return the regular hours of a day, which is taken to be a trading day."""
    close = _EARLY_CLOSE if _closes_early(day) else _CLOSE
    return Hours(day, _instant(day, _OPEN), _instant(day, close))


def next_trading_day(after: date) -> date:
    """Return the first trading day later than ``after``."""
    day = after + timedelta(days=1)
    while not is_trading_day(day):
        day += timedelta(days=1)
    return day


def exchange_date(now: datetime) -> date:
    """Return the date in New York at an instant."""
    return now.astimezone(NEW_YORK).date()


def _instant(day: date, at: time) -> datetime:
    return datetime.combine(day, at, tzinfo=NEW_YORK).astimezone(UTC)


def _closes_early(day: date) -> bool:
    eve_of_holiday = (day.month, day.day) in {(7, 3), (12, 24)} and day.weekday() <= _THURSDAY
    return eve_of_holiday or day == _thanksgiving(day.year) + timedelta(days=1)


@lru_cache(maxsize=256)
def _holidays(year: int) -> frozenset[date]:
    days = {
        _nth_weekday(year, 1, _MONDAY, 3),  # Martin Luther King Jr.
        _nth_weekday(year, 2, _MONDAY, 3),  # Washington's birthday
        _easter(year) - timedelta(days=2),  # Good Friday
        _last_monday_of_may(year),  # Memorial Day
        _observed(date(year, 7, 4)),
        _nth_weekday(year, 9, _MONDAY, 1),  # Labor Day
        _thanksgiving(year),
        _observed(date(year, 12, 25)),
    }
    new_year = date(year, 1, 1)
    # A New Year's Day on a Saturday is not made up for: the Friday before ends an accounting year.
    if new_year.weekday() != _SATURDAY:
        days.add(_observed(new_year))
    if year >= _JUNETEENTH_SINCE:
        days.add(_observed(date(year, 6, 19)))
    return frozenset(days)


def _observed(day: date) -> date:
    if day.weekday() == _SATURDAY:
        return day - timedelta(days=1)
    return day + timedelta(days=1) if day.weekday() == _SUNDAY else day


def _nth_weekday(year: int, month: int, weekday: int, n: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))


def _last_monday_of_may(year: int) -> date:
    last = date(year, 5, 31)
    return last - timedelta(days=last.weekday())


def _thanksgiving(year: int) -> date:
    return _nth_weekday(year, 11, _THURSDAY, 4)


def _easter(year: int) -> date:
    # The anonymous Gregorian algorithm; its letters are the literature's.
    a, b, c = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    k = (32 + 2 * (b % 4) + 2 * (c // 4) - h - c % 4) % 7
    m = (a + 11 * h + 22 * k) // 451
    month, day = divmod(h + k - 7 * m + 114, 31)
    return date(year, month, day + 1)
