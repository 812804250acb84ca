"""Values as they stand on the wire: strings, bare numbers, flags and suffixes. Never an error.

None means that the broker says nothing; zero is a value.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

_NUMBER = re.compile(r"([CH]?)([+-]?(?:\d[\d,]*\.?\d*|\.\d+))([KMB%]?)", re.IGNORECASE | re.ASCII)
_SCALE = {"K": 3, "M": 6, "B": 9}
# With a suffix of billions this still fits Decimal's 28 digits; no price or volume comes near.
_MOST_WHOLE_DIGITS = 18


@dataclass(frozen=True)
class Number:
    """A number and its flag: ``C`` the previous close, ``H`` halted, else empty."""

    value: Decimal
    flag: str = ""


def number(raw: object) -> Number | None:
    """Read ``"C225.54"``, ``"1,300"``, ``"21.7K"``, ``"0.54%"`` or a bare number.

    A percentage stays in percent. A flag without digits, ``""``, ``"N/A"`` and what is no finite
    number are None.
    """
    if isinstance(raw, bool) or not isinstance(raw, str | int | float | Decimal):
        return None
    text = str(raw).strip()
    if isinstance(raw, str):
        return _from_text(text)
    value = _decimal(text)
    return None if value is None else Number(value)


def _from_text(text: str) -> Number | None:
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    flag, digits, suffix = (part.upper() for part in match.groups())
    value = _decimal(digits.replace(",", ""))
    if value is None:
        return None
    return Number(plain(value.scaleb(_SCALE.get(suffix, 0))), flag)


def decimal(raw: object) -> Decimal | None:
    """Read a number and drop its flag."""
    found = number(raw)
    return None if found is None else found.value


def plain(value: Decimal) -> Decimal:
    """Return an equal number in its one plain form: no trailing zeros, no exponent."""
    if value == value.to_integral_value():
        return value.to_integral_value().quantize(Decimal(1))
    return value.normalize()


def conid(raw: object) -> int | None:
    """Read a contract id, a string here and an integer there; anything else is None."""
    text = str(raw) if isinstance(raw, str | int) and not isinstance(raw, bool) else ""
    return int(text) if text.isascii() and text.isdigit() and int(text) > 0 else None


def instant(raw: object) -> datetime | None:
    """Read milliseconds since 1970, UTC."""
    value = decimal(raw)
    try:
        return None if value is None else datetime.fromtimestamp(float(value) / 1000, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _decimal(text: str) -> Decimal | None:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    if not value.is_finite() or value.adjusted() >= _MOST_WHOLE_DIGITS:
        return None
    return plain(value)
