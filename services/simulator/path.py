"""The way a price takes through one day: a pure function of seed, symbol, day and second.

It starts at the day's open, ends at its close, touches its high and its low in between, and never
leaves that range. The last price stands for ``STEP_S`` seconds at a time, so that every bar that is
cut out of the path is exactly what a listener to the quotes would have seen.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import accumulate, pairwise
from random import Random

from services.simulator.bars import DailyBar
from services.simulator.trading_days import Hours

STEP_S = 5

_MINUTE_S = 60
_CENTS = 100
# A driftless walk of n steps spans about 1.6 deviations of its end point.
_SPAN = 1.6
# High and low keep this part of the day away from either bell, lest the price leap.
_EDGE = 16
# Volume at the bell is this much above that of noon.
_RUSH = 2.0


@dataclass(frozen=True, slots=True)
class Slice:
    """What was traded between two instants of a day. Volume in shares."""

    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int


@dataclass(frozen=True, slots=True)
class DayPath:
    """Prices and cumulative volume of one day. All seconds count from the opening bell."""

    seconds: int
    cents: Sequence[int]
    shares: Sequence[int]

    def price(self, second: float) -> Decimal:
        """Return the last price at a second; from the closing bell on it is the close."""
        return _dollars(self.cents[self._index(second)])

    def volume(self, second: float) -> int:
        """Return the shares traded since the open."""
        minute, rest = divmod(min(max(second, 0), self.seconds), _MINUTE_S)
        done = self.shares[int(minute)]
        if not rest:
            return done
        return done + int((self.shares[int(minute) + 1] - done) * rest / _MINUTE_S)

    def slice(self, first: int, until: int, now: float) -> Slice:
        """Return the bar from ``first`` to before ``until`` as it is known at ``now``.

        All are multiples of STEP_S but ``now``; ``now`` is not before ``first``. The bar that ends
        with the session includes the closing price, once ``now`` is there.
        """
        closing = until >= self.seconds <= now
        last = self._index(self.seconds if closing else min(until - 1, now))
        cents = self.cents[self._index(first) : last + 1]
        volume = self.volume(min(until, now)) - self.volume(first)
        opened, high, low, close = (
            _dollars(c) for c in (cents[0], max(cents), min(cents), cents[-1])
        )
        return Slice(opened, high, low, close, volume)

    def changes(self, after: float, until: float) -> Iterator[tuple[int, Decimal]]:
        """Yield second and price of every step later than ``after`` up to ``until``."""
        first = 0 if after < 0 else self._index(after) + 1
        for index in range(first, self._index(until) + 1):
            yield index * STEP_S, _dollars(self.cents[index])

    def _index(self, second: float) -> int:
        return int(min(max(second, 0), self.seconds) // STEP_S)


@lru_cache(maxsize=256)
def day_path(seed: int, symbol: str, bar: DailyBar, session: Hours) -> DayPath:
    """Return the path of a day."""
    draw = Random(f"{seed}|{symbol}|{bar.day.isoformat()}")  # noqa: S311  # prices, not secrets
    seconds = session.seconds
    return DayPath(seconds, _cents(draw, bar, seconds // STEP_S), _shares(draw, bar, seconds))


def _cents(draw: Random, bar: DailyBar, steps: int) -> "array[int]":
    opened, high, low, close = (_to_cents(p) for p in (bar.open, bar.high, bar.low, bar.close))
    edge = steps // _EDGE
    knots = [
        (0, opened),
        *sorted(zip(draw.sample(range(edge, steps - edge), 2), (high, low), strict=True)),
        (steps, close),
    ]
    size = (high - low) / (_SPAN * steps**0.5)
    cents = array("i", [opened])
    for (first, start), (last, end) in pairwise(knots):
        cents.extend(_bridge(draw, last - first, (start, end), size, (low, high)))
    return cents


def _bridge(
    draw: Random, steps: int, ends: tuple[int, int], size: float, limits: tuple[int, int]
) -> Iterator[int]:
    """Yield a random walk, bent to end where it must and folded back into its limits."""
    (start, end), (low, high) = ends, limits
    # Uniform draws have a deviation of 1/sqrt(12).
    scale = size * 12**0.5
    walk = list(accumulate((draw.random() - 0.5) * scale for _ in range(steps)))
    drift = (end - start - walk[-1]) / steps
    for step, moved in enumerate(walk[:-1], start=1):
        value = start + moved + drift * step
        if value > high:
            value = max(2 * high - value, low)
        elif value < low:
            value = min(2 * low - value, high)
        yield round(value)
    yield end


def _shares(draw: Random, bar: DailyBar, seconds: int) -> list[int]:
    minutes = seconds // _MINUTE_S
    rush = (1 + _RUSH * (2 * minute / minutes - 1) ** 2 for minute in range(minutes))
    weights = list(accumulate(weight * (0.5 + draw.random()) for weight in rush))
    return [0, *(int(bar.volume * weight / weights[-1]) for weight in weights[:-1]), bar.volume]


def _to_cents(price: Decimal) -> int:
    return int(price * _CENTS)


def _dollars(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)
