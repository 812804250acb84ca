"""What the market shows at an instant: nothing later than that instant."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zlib import crc32

from services.simulator.bars import CENT, BarSource, DailyBar, bar_before, bar_on
from services.simulator.path import DayPath, day_path
from services.simulator.trading_days import Hours, exchange_date, hours, next_trading_day

_AVERAGE_DAYS = 90
_LOT = 100
_LOTS = 20
# Half of the spread, as a share of the price, before it is rounded up to whole cents.
_HALF_SPREAD = Decimal("0.00005")


@dataclass(frozen=True, slots=True)
class Quote:
    """What a symbol trades at. ``live`` only while its market is open.

    ``at`` is when it last changed. What is not known is None: no bid or ask outside the session,
    no range or volume before the bell, no ``close`` of today before it has closed. Sizes and
    volumes are shares.
    """

    symbol: str
    at: datetime
    live: bool
    last: Decimal
    prior_close: Decimal | None
    average_volume: int
    open: Decimal | None = None
    high: Decimal | None = None
    low: Decimal | None = None
    close: Decimal | None = None
    volume: int | None = None
    bid: Decimal | None = None
    ask: Decimal | None = None
    bid_size: int | None = None
    ask_size: int | None = None
    last_size: int | None = None


@dataclass(frozen=True, slots=True)
class Market:
    """Bars and a seed, seen from one instant at a time."""

    bars: BarSource
    seed: int

    def quote(self, symbol: str, now: datetime) -> Quote | None:
        """Return the quote at an instant, or None where there is no data (any more)."""
        today = exchange_date(now)
        bar, before = bar_on(self.bars, symbol, today), bar_before(self.bars, symbol, today)
        if bar is not None and now >= (session := hours(today)).open:
            if now < session.close:
                return self._live(symbol, bar, before, session, now)
            return self._closed(symbol, bar, before)
        if before is None or self._ended(before, bar, now):
            return None
        return self._resting(symbol, before)

    def last(self, symbol: str, now: datetime) -> Decimal | None:
        """Return the last price at an instant, live or not."""
        quote = self.quote(symbol, now)
        return None if quote is None else quote.last

    def path(self, symbol: str, bar: DailyBar) -> DayPath:
        """Return the path of a day. It knows the whole day: callers cut it at their ``now``."""
        return day_path(self.seed, symbol, bar, hours(bar.day))

    @staticmethod
    def _ended(before: DailyBar, bar: DailyBar | None, now: datetime) -> bool:
        """Whether a session that should have followed the last row has begun without data."""
        return bar is None and now >= hours(next_trading_day(before.day)).open

    def _live(
        self, symbol: str, bar: DailyBar, before: DailyBar | None, session: Hours, now: datetime
    ) -> Quote:
        second = (now - session.open).total_seconds()
        so_far = self.path(symbol, bar).slice(0, session.seconds, second)
        noise = crc32(f"{self.seed}|{symbol}|{bar.day}|{int(second)}".encode())
        bid, ask = _spread(so_far.close, noise)
        return Quote(
            symbol=symbol,
            at=now,
            live=True,
            last=so_far.close,
            prior_close=before.close if before else None,
            average_volume=self._average_volume(symbol, before),
            open=so_far.open,
            high=so_far.high,
            low=so_far.low,
            volume=so_far.volume,
            bid=bid,
            ask=ask,
            bid_size=_LOT * (1 + (noise >> 4) % _LOTS),
            ask_size=_LOT * (1 + (noise >> 12) % _LOTS),
            last_size=_LOT * (1 + (noise >> 20) % _LOTS),
        )

    def _closed(self, symbol: str, bar: DailyBar, before: DailyBar | None) -> Quote:
        return Quote(
            symbol=symbol,
            at=hours(bar.day).close,
            live=False,
            last=bar.close,
            prior_close=before.close if before else None,
            average_volume=self._average_volume(symbol, bar),
            open=bar.open,
            high=bar.high,
            low=bar.low,
            close=bar.close,
            volume=bar.volume,
        )

    def _resting(self, symbol: str, before: DailyBar) -> Quote:
        """Return the quote of a night, a weekend or a holiday."""
        return Quote(
            symbol=symbol,
            at=hours(before.day).close,
            live=False,
            last=before.close,
            prior_close=before.close,
            average_volume=self._average_volume(symbol, before),
        )

    def _average_volume(self, symbol: str, newest: DailyBar | None) -> int:
        if newest is None:
            return 0
        bars = self.bars.until(symbol, newest.day)[-_AVERAGE_DAYS:]
        return sum(bar.volume for bar in bars) // len(bars)


def _spread(last: Decimal, noise: int) -> tuple[Decimal, Decimal]:
    """Return bid and ask around the last price: one cent apart at least, never at zero."""
    half = max(CENT, (last * _HALF_SPREAD).quantize(CENT))
    # The last trade was at the bid, at the ask, or between.
    below = (0, 1, 1)[noise % 3] * half
    above = half if not below else (noise // 3 % 2) * half
    bid = max(last - below, CENT)
    return bid, max(last + above, bid + CENT)
