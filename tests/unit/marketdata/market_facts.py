"""Builders of market facts for the tests of marketdata."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from shared.events.evidence import Bar, Quote
from shared.ibkr.contracts import Increment, Instrument

NOW = datetime(2026, 3, 11, 14, 0, tzinfo=UTC)
TODAY = date(2026, 3, 11)


def a_quote(**change: Any) -> Quote:
    """Return a good quote at NOW."""
    good = {
        "last": Decimal("100.10"),
        "bid": Decimal(100),
        "ask": Decimal("100.20"),
        "prior_close": Decimal(100),
        "at": NOW,
        "availability": "RpB",
    }
    return Quote.model_validate(good | change)


def a_bar(day: date, **change: Any) -> Bar:
    """Return a bar around 100."""
    good = {"date": day, "open": 99, "high": 101, "low": 98, "close": 100, "volume": 1000}
    return Bar.model_validate(good | change)


def days_before(day: date, count: int) -> list[date]:
    """Return the last weekdays before a day, oldest first."""
    found: list[date] = []
    while len(found) < count:
        day -= timedelta(days=1)
        found += [day] if day.weekday() < 5 else []
    return found[::-1]


def some_bars(count: int) -> tuple[Bar, ...]:
    """Return that many good bars up to the day before TODAY."""
    return tuple(a_bar(day) for day in days_before(TODAY, count))


def bars_of_closes(closes: Sequence[float]) -> tuple[Bar, ...]:
    """Return bars that close so, one wide above and below."""
    days = days_before(TODAY, len(closes))
    return tuple(
        a_bar(day, open=close, close=close, high=close + 1, low=close - 1, volume=1000 + n)
        for n, (day, close) in enumerate(zip(days, map(str_decimal, closes), strict=True))
    )


def str_decimal(value: float) -> Decimal:
    """Return a float's digits as a Decimal."""
    return Decimal(repr(value))


def an_instrument(symbol: str = "NVDA") -> Instrument:
    """Return a verified instrument."""
    return Instrument(
        symbol=symbol,
        conid=4815747,
        exchange="NASDAQ",
        currency="USD",
        company="NVIDIA CORP",
        increments=(Increment(lower_edge=Decimal(0), step=Decimal("0.01")),),
    )
