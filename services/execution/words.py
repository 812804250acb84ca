"""Numbers as people read them."""

from decimal import Decimal


def number(value: Decimal) -> str:
    """Return a number without exponent and without trailing zeros."""
    return f"{value.normalize():f}"
