"""How numbers and times look on the wire."""

from datetime import datetime
from decimal import Decimal

_THOUSAND, _MILLION = 1_000, 1_000_000


def price(value: Decimal) -> str:
    """Return ``225.50``; from a thousand on with commas, ``1,225.50``."""
    return f"{value:,.2f}"


def size(shares: int) -> str:
    """Return ``600``, ``1,300``."""
    return f"{shares:,}"


def volume(shares: int) -> str:
    """Return ``950``, ``21.7K``, ``83.9M``."""
    if shares < _THOUSAND:
        return str(shares)
    # What rounds to 1000K is said in millions.
    if shares < _MILLION - 50:
        return f"{shares / _THOUSAND:.1f}K"
    return f"{shares / _MILLION:.1f}M"


def epoch_ms(instant: datetime) -> int:
    """Return milliseconds since 1970."""
    return int(instant.timestamp() * 1000)


def stamp(instant: datetime) -> str:
    """Return ``20260402-13:30:00``, as in history and trades."""
    return f"{instant:%Y%m%d-%H:%M:%S}"


def short_stamp(instant: datetime) -> str:
    """Return ``231211180049``, as in orders."""
    return f"{instant:%y%m%d%H%M%S}"


def number(value: Decimal) -> float:
    """Return a JSON number. Money stays Decimal up to here."""
    return float(value)
