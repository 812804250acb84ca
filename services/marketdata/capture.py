"""What the broker says of one symbol, asked for no more often than needed."""

import asyncio
import contextlib
from collections.abc import Callable, Collection, Coroutine, Iterator
from datetime import date, datetime
from typing import Any, TypeVar

from services.marketdata.quality import check_bars
from services.marketdata.store import Cache
from services.marketdata.trading_day import day_before, today
from shared.events.evidence import Bar, Quote
from shared.failures import StepFailedError
from shared.ibkr import errors
from shared.ibkr.client import IbkrClient
from shared.ibkr.contracts import Instrument
from shared.market_time import MarketClock, sleep_until, wall_now

T = TypeVar("T")
Found = tuple[Instrument, Quote, tuple[Bar, ...]]

CODES: tuple[tuple[type[errors.BrokerError], str], ...] = (
    (errors.UnknownSymbolError, "unknown_symbol"),
    (errors.AmbiguousContractError, "ambiguous_symbol"),
    (errors.NoQuoteError, "no_quote"),
    (errors.BadBarsError, "bad_bars"),
    (errors.NotLoggedInError, "login_required"),
    (errors.NoBridgeError, "broker_unreachable"),
    (errors.TimedOutError, "timed_out"),
    (errors.UnreachableError, "broker_unreachable"),
    (errors.UnavailableError, "broker_unreachable"),
    (errors.TooManyRequestsError, "too_many_requests"),
    (errors.BrokerError, "broker_error"),
)


class Capture:
    """Asks for instrument, quote and bars. Raises StepFailedError where the broker fails us.

    The gateway bounds each answer of the broker. How long a symbol waits for its turns depends on
    how many others ask: only the end of its run bounds that.
    """

    def __init__(self, client: IbkrClient, cache: Cache, clock: MarketClock) -> None:
        self._client = client
        self._cache = cache
        self._clock = clock

    async def of(
        self,
        symbol: str,
        closed: Collection[date] | None,
        enough: Callable[[Quote], bool],
        expires_at: datetime | None,
    ) -> Found:
        """Return all that there is on a symbol now; the quote is polled until it is ``enough``.

        ``closed``: the weekdays without trading. Only bars that are good are kept, and kept ones
        that are not are asked for again. ``expires_at`` (market time) ends it all.
        """
        work = self._of(symbol, closed, enough)
        return await (work if expires_at is None else _before(self._clock, expires_at, work))

    async def _of(
        self, symbol: str, closed: Collection[date] | None, enough: Callable[[Quote], bool]
    ) -> Found:
        instrument = await self._instrument(symbol)
        conid, day = instrument.conid, today(self._clock.now())
        kept = await self._cache.bars(conid, day_before(day))
        bars = await self._fresh_bars(conid, day) if kept is None else kept
        # Last, so that it is as fresh as can be.
        with _broker():
            quote = await self._client.quote(conid, enough)
        if kept is not None and _why_not(bars, quote, day, closed):
            kept, bars = None, await self._fresh_bars(conid, day)
        if (why := _why_not(bars, quote, day, closed)) is not None:
            raise why
        if kept is None:
            await self._cache.keep_bars(conid, day_before(day), bars)
        return instrument, quote, bars

    async def _instrument(self, symbol: str) -> Instrument:
        known = await self._cache.instrument(symbol, wall_now())
        if known is not None:
            return known
        with _broker():
            found = await self._client.instrument(symbol)
        await self._cache.keep_instrument(found, wall_now())
        return found

    async def _fresh_bars(self, conid: int, day: date) -> tuple[Bar, ...]:
        with _broker():
            return await self._client.daily_bars(conid, day)


def _why_not(
    bars: tuple[Bar, ...], quote: Quote, day: date, closed: Collection[date] | None
) -> StepFailedError | None:
    """Say why bars cannot be used, or None."""
    try:
        check_bars(bars, quote, day, closed)
    except StepFailedError as e:
        return e
    return None


async def _before(clock: MarketClock, end: datetime, work: Coroutine[Any, Any, T]) -> T:
    """Return the result of work that is cut off when market time reaches ``end``."""
    doing, bell = asyncio.create_task(work), asyncio.create_task(sleep_until(clock, end))
    try:
        await asyncio.wait((doing, bell), return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            return doing.result()
        await bell
    finally:
        doing.cancel()
        bell.cancel()
        await asyncio.gather(doing, bell, return_exceptions=True)
    reason = f"the run expired at {end.isoformat()} market time, before all that it asked was known"
    raise StepFailedError("expired", reason)


@contextlib.contextmanager
def _broker() -> Iterator[None]:
    """Turn what goes wrong with the broker into the failure of the step."""
    try:
        yield
    except errors.BrokerError as e:
        code = next(code for kind, code in CODES if isinstance(e, kind))
        raise StepFailedError(code, e.reason, e.attempts) from e
