"""The answer of ``/iserver/marketdata/history`` as bars: those that were asked for, or an error."""

import itertools
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from shared.events.evidence import Bar
from shared.ibkr.errors import BadBarsError
from shared.ibkr.wire import decimal, instant, plain

DAILY = "1d"
NEW_YORK = ZoneInfo("America/New_York")
_DAY_S = 86_400
_SATURDAY = 5


def daily_bars(answer: Any, today: date) -> tuple[Bar, ...]:
    """Return the finished days before ``today`` (New York), oldest first.

    Prices are unscaled on the wire; shares are ``v`` times ``volumeFactor``; ``t`` is the bar's
    start. Raises BadBarsError with the reason.
    """
    data = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(data, list):
        msg = "history: expected an object with a list `data`"
        raise BadBarsError(msg)
    length, factor = decimal(answer.get("barLength")), decimal(answer.get("volumeFactor"))
    if length != _DAY_S:
        # A bar size that the broker does not know is answered with another one, silently.
        msg = f"history: expected bars of {_DAY_S} s, found barLength {answer.get('barLength')}"
        raise BadBarsError(msg)
    if factor is None or factor <= 0:
        msg = f"history: expected a volumeFactor above zero, found {answer.get('volumeFactor')}"
        raise BadBarsError(msg)
    bars = tuple(_bar(row, factor) for row in data)
    for earlier, later in itertools.pairwise(bars):
        if later.date <= earlier.date:
            msg = f"history: expected days in order, found {later.date} after {earlier.date}"
            raise BadBarsError(msg)
    return tuple(bar for bar in bars if bar.date < today)


def inconsistency(bar: Bar) -> str | None:
    """Say why no market can have made this bar, or None."""
    low, high = min(bar.open, bar.close), max(bar.open, bar.close)
    if bar.low <= 0:
        return f"{bar.date}: low {bar.low} is not above zero"
    if bar.high < bar.low:
        return f"{bar.date}: high {bar.high} is below low {bar.low}"
    if bar.low > low or bar.high < high:
        return f"{bar.date}: open {bar.open} or close {bar.close} is outside {bar.low}-{bar.high}"
    if bar.volume < 0:
        return f"{bar.date}: volume {bar.volume} is below zero"
    if bar.date.weekday() >= _SATURDAY:
        return f"{bar.date} is no trading day"
    return None


def _bar(row: Any, factor: Decimal) -> Bar:
    row = row if isinstance(row, dict) else {}
    start = instant(row.get("t"))
    found = {name: decimal(row.get(name)) for name in "ohlcv"}
    if start is None or None in found.values():
        msg = f"history: expected o, h, l, c, v and t in each bar, found {row}"
        raise BadBarsError(msg)
    bar = Bar.model_validate(
        {
            "date": start.astimezone(NEW_YORK).date(),
            "open": found["o"],
            "high": found["h"],
            "low": found["l"],
            "close": found["c"],
            "volume": plain((found["v"] or Decimal(0)) * factor),
        }
    )
    why = inconsistency(bar)
    if why is not None:
        msg = f"history: {why}"
        raise BadBarsError(msg)
    return bar
