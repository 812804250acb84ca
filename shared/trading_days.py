"""Trading days, from the few weekdays that are none. Pure: a calendar is the clock's alone."""

from collections.abc import Collection, Iterator
from datetime import date, timedelta

# How far back the clock tells which weekdays had no trading: a year of bars, and some more.
HORIZON = timedelta(days=400)
_DAY = timedelta(days=1)
_SATURDAY = 5


def weekdays(first: date, last: date) -> Iterator[date]:
    """Yield the days from Monday to Friday from ``first`` up to and with ``last``."""
    day = first
    while day <= last:
        if day.weekday() < _SATURDAY:
            yield day
        day += _DAY


def trading_days(first: date, last: date, closed: Collection[date]) -> list[date]:
    """Return the trading days from ``first`` up to and with ``last``."""
    return [day for day in weekdays(first, last) if day not in closed]
