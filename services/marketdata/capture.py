"""What the broker says of one symbol, asked for no more often than needed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection
from datetime import date

from services.marketdata.quality import check_bars
from services.marketdata.store import Cache
from services.marketdata.trading_day import day_before, today
from shared.events.evidence import Bar, Quote
from shared.failures import StepFailedError
from shared.ibkr import errors
from shared.ibkr.client import IbkrClient
from shared.ibkr.contracts import Instrument
from shared.market_time import MarketClock, wall_now

# Of a whole symbol, its turns in our own queue to the broker included: a run of a hundred new
# symbols needs a hundred charts, eight a second. One answer is bounded by the gateway.
TIME_LIMIT_S = 120.0
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

    The time limit is on the broker alone: our own storage is waited for as long as it takes.
    """

    def __init__(self, client: IbkrClient, cache: Cache, clock: MarketClock) -> None:
        self._client = client
        self._cache = cache
        self._clock = clock

    async def of(
        self, symbol: str, closed: Collection[date] | None, enough: Callable[[Quote], bool]
    ) -> tuple[Instrument, Quote, tuple[Bar, ...]]:
        """Return all that there is on a symbol now; the quote is polled until it is ``enough``.

        ``closed``: the weekdays without trading. Only bars that are good are kept, and kept ones
        that are not are asked for again.
        """
        give_up = asyncio.get_running_loop().time() + TIME_LIMIT_S
        instrument = await self._instrument(symbol, give_up)
        conid, day = instrument.conid, today(self._clock.now())
        kept = await self._cache.bars(conid, day_before(day))
        bars = await self._fresh_bars(conid, day, give_up) if kept is None else kept
        # Last, so that it is as fresh as can be.
        quote = await self._quote(conid, enough, give_up)
        if kept is not None and _why_not(bars, quote, day, closed):
            kept, bars = None, await self._fresh_bars(conid, day, give_up)
        if (why := _why_not(bars, quote, day, closed)) is not None:
            raise why
        if kept is None:
            await self._cache.keep_bars(conid, day_before(day), bars)
        return instrument, quote, bars

    async def _instrument(self, symbol: str, give_up: float) -> Instrument:
        known = await self._cache.instrument(symbol, wall_now())
        if known is not None:
            return known
        async with _broker(give_up):
            found = await self._client.instrument(symbol)
        await self._cache.keep_instrument(found, wall_now())
        return found

    async def _quote(self, conid: int, enough: Callable[[Quote], bool], give_up: float) -> Quote:
        async with _broker(give_up):
            return await self._client.quote(conid, enough)

    async def _fresh_bars(self, conid: int, day: date, give_up: float) -> tuple[Bar, ...]:
        async with _broker(give_up):
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


@contextlib.asynccontextmanager
async def _broker(give_up: float) -> AsyncIterator[None]:
    """Turn what goes wrong with the broker into the failure of the step."""
    try:
        async with asyncio.timeout_at(give_up):
            yield
    except TimeoutError as e:
        reason = (
            f"expected the broker's answers within {TIME_LIMIT_S:.0f} s, they and our queue for "
            "them took longer: ask for fewer symbols at once"
        )
        raise StepFailedError("timed_out", reason) from e
    except errors.BrokerError as e:
        code = next(code for kind, code in CODES if isinstance(e, kind))
        raise StepFailedError(code, e.reason, e.attempts) from e
