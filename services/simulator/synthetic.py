"""Made-up daily bars for a market without files: seeded, lazy, the same in every process."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from random import Random

from services.simulator.bars import CENT, DailyBar
from services.simulator.trading_days import next_trading_day

FIRST_DAY = date(2013, 1, 2)

# A usual price in dollars and a usual day's volume in shares.
_USUAL = {
    "AAPL": (190.0, 60_000_000),
    "AMZN": (150.0, 45_000_000),
    "GOOGL": (140.0, 25_000_000),
    "NVDA": (120.0, 200_000_000),
    "TSLA": (250.0, 100_000_000),
}
_DAILY_MOVE = 0.02
_OVERNIGHT_MOVE = 0.006
_WICK = 0.012
# How strongly a price is pulled back to the usual one each day; without it decades drift away.
_PULL = 0.01


class SyntheticBars:
    """Bars of five symbols from 2013 on. A day's bar depends on the seed and earlier days only."""

    kind = "synthetic"

    def __init__(self, seed: int) -> None:
        self.symbols = tuple(_USUAL)
        self._walks = {symbol: _Walk(seed, symbol) for symbol in _USUAL}

    def until(self, symbol: str, day: date) -> Sequence[DailyBar]:
        """Return the bars up to and including a day, oldest first."""
        return self._walks[symbol].until(day)


class _Walk:
    def __init__(self, seed: int, symbol: str) -> None:
        self._random = Random(f"{seed}|{symbol}")  # noqa: S311  # prices, not secrets
        self._usual, self._volume = _USUAL[symbol]
        self._bars: list[DailyBar] = []
        self._close = self._usual
        self._next = FIRST_DAY

    def until(self, day: date) -> list[DailyBar]:
        while self._next <= day:
            self._bars.append(self._draw(self._next))
            self._next = next_trading_day(self._next)
        return self._bars[: bisect_right(self._bars, day, key=lambda bar: bar.day)]

    def _draw(self, day: date) -> DailyBar:
        pull = _PULL * math.log(self._usual / self._close)
        opened = self._close * (1 + pull + _OVERNIGHT_MOVE * self._bell())
        close = opened * (1 + _DAILY_MOVE * self._bell())
        high = max(opened, close) * (1 + _WICK * self._random.random())
        low = min(opened, close) * (1 - _WICK * self._random.random())
        volume = int(self._volume * (0.5 + self._random.random()))
        self._close = close
        return DailyBar(day, _cents(opened), _cents(high), _cents(low), _cents(close), volume)

    def _bell(self) -> float:
        """Draw from a bell-shaped curve of mean 0 and deviation 1 out of plain ``random()``.

        Its sequence is promised to stay the same in every Python version; ``gauss()`` is not.
        """
        return math.sqrt(12 / 4) * (sum(self._random.random() for _ in range(4)) - 2)


def _cents(price: float) -> Decimal:
    return Decimal(price).quantize(CENT)
