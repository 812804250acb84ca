"""How times, durations and numbers are written for a person. Pure."""

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

NEW_YORK = ZoneInfo("America/New_York")
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400


def duration(seconds: float) -> str:
    """Return a duration as short as it can be understood: ``12 ms``, ``1.24 s``, ``2 h 05 min``."""
    if seconds < 1:
        return f"{seconds * 1_000:.0f} ms"
    if seconds < _MINUTE_S:
        return f"{seconds:.2f} s"
    whole = round(seconds)
    if whole < _HOUR_S:
        return f"{whole // _MINUTE_S} min {whole % _MINUTE_S:02} s"
    if whole < _DAY_S:
        return f"{whole // _HOUR_S} h {whole % _HOUR_S // _MINUTE_S:02} min"
    return f"{whole // _DAY_S} d {whole % _DAY_S // _HOUR_S} h"


def countdown(left: timedelta) -> str:
    """Return how long it still takes, to the second."""
    seconds = max(0, int(left.total_seconds() + 0.999))
    return f"{seconds} s" if seconds < _MINUTE_S else duration(seconds)


def exchange_time(instant: datetime) -> str:
    """Return an instant as the exchange's clock shows it."""
    return f"{instant.astimezone(NEW_YORK):%a %Y-%m-%d %H:%M:%S} New York"


def wall_time(instant: datetime) -> str:
    """Return a wall instant in UTC, to the millisecond."""
    return instant.strftime("%Y-%m-%d %H:%M:%S.") + f"{instant.microsecond // 1_000:03}"


def number(value: Decimal | float | None) -> str:
    """Return a number without needless zeros; a dash where there is none."""
    if value is None:
        return "-"
    text = f"{value:,f}" if isinstance(value, Decimal) else f"{value:,}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def price(value: Decimal | None) -> str:
    """Return a price with at least two decimals; a dash where there is none."""
    if value is None:
        return "-"
    text = number(value)
    decimals = len(text.partition(".")[2])
    return text if decimals > 1 else f"{value:,.2f}"
