"""When an exchange is open. A pure question of time, with holidays and early closes.

NASDAQ keeps the hours of the New York Stock Exchange: both are ``XNYS``.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache, lru_cache

import exchange_calendars as xcals
import pandas as pd

from shared.trading_days import HORIZON, weekdays

EXCHANGE = "XNYS"
# How long a released run may take where its request names no deadline.
RUN_TIME = timedelta(minutes=30)


@dataclass(frozen=True)
class TradingSession:
    """The session that is on (``is_open``), else the next one. Times in UTC."""

    exchange: str
    is_open: bool
    open: datetime
    close: datetime
    since: datetime

    @property
    def next_bell(self) -> datetime:
        """Return the instant at which ``is_open`` changes."""
        return self.close if self.is_open else self.open


class UnknownExchangeError(Exception):
    """No calendar of that name."""


@cache
def _calendar(exchange: str) -> xcals.ExchangeCalendar:
    try:
        return xcals.get_calendar(exchange, start="2010-01-01")
    except xcals.errors.InvalidCalendarName as e:
        msg = f"expected an exchange such as {EXCHANGE} (ISO 10383), found {exchange!r}"
        raise UnknownExchangeError(msg) from e


def session_at(exchange: str, instant: datetime) -> TradingSession:
    """Return the session at an instant. It is open from the opening up to, not at, the close.

    Raises UnknownExchangeError.
    """
    calendar = _calendar(exchange)
    minute = pd.Timestamp(instant).floor("min")
    is_open = bool(calendar.is_open_at_time(minute, side="left"))
    if is_open:
        label = calendar.minute_to_session(minute)
        opens, closes = calendar.session_open(label), calendar.session_close(label)
        return TradingSession(exchange, True, _utc(opens), _utc(closes), _utc(opens))  # noqa: FBT003
    opens, closed = (
        calendar.next_open(minute),
        calendar.previous_close(minute + pd.Timedelta("1min")),
    )
    label = calendar.minute_to_session(opens)
    closes = calendar.session_close(label)
    return TradingSession(exchange, False, _utc(opens), _utc(closes), _utc(closed))  # noqa: FBT003


@lru_cache(maxsize=8)
def closed_days(exchange: str, before: date) -> tuple[date, ...]:
    """Return the weekdays without trading in ``HORIZON`` before a day, oldest first."""
    calendar, first, last = _calendar(exchange), before - HORIZON, before - timedelta(days=1)
    sessions = {label.date() for label in calendar.sessions_in_range(first, last)}
    return tuple(day for day in weekdays(first, last) if day not in sessions)


def expiry(released_at: datetime, closes: datetime, deadline: datetime | None) -> datetime:
    """Return when a run released now ends: its deadline, else in 30 minutes or at the close."""
    return deadline if deadline is not None else min(released_at + RUN_TIME, closes)


def _utc(stamp: pd.Timestamp) -> datetime:
    moment: datetime = stamp.tz_convert("UTC").to_pydatetime()
    return moment
