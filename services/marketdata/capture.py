"""What the broker says of one symbol: asked for side by side, and no more often than needed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import date

from services.marketdata.quality import belong_together
from services.marketdata.store import Cache
from services.marketdata.trading_day import day_before, today
from shared.events.evidence import Bar, Quote
from shared.failures import StepFailedError
from shared.ibkr import errors
from shared.ibkr.client import IbkrClient
from shared.ibkr.contracts import Instrument
from shared.market_time import MarketClock, wall_now

TIME_LIMIT_S = 20.0
_CODES: tuple[tuple[type[errors.BrokerError], str], ...] = (
    (errors.UnknownSymbolError, "unknown_symbol"),
    (errors.AmbiguousContractError, "ambiguous_symbol"),
    (errors.NoQuoteError, "no_quote"),
    (errors.BadBarsError, "bad_bars"),
    (errors.NotLoggedInError, "login_required"),
    (errors.NoBridgeError, "broker_unreachable"),
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
        self, symbol: str, enough: Callable[[Quote], bool]
    ) -> tuple[Instrument, Quote, tuple[Bar, ...]]:
        """Return all that there is on a symbol now; the quote is polled until it is ``enough``."""
        give_up = asyncio.get_running_loop().time() + TIME_LIMIT_S
        instrument = await self._instrument(symbol, give_up)
        day = today(self._clock.now())
        quote, bars = await asyncio.gather(
            self._quote(instrument.conid, enough, give_up),
            self._bars(instrument.conid, day, give_up),
        )
        if not belong_together(bars, quote):
            # Kept bars of another market, as after a change of the simulator's files.
            bars = await self._fresh_bars(instrument.conid, day, give_up)
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

    async def _bars(self, conid: int, day: date, give_up: float) -> tuple[Bar, ...]:
        known = await self._cache.bars(conid, day_before(day))
        return await self._fresh_bars(conid, day, give_up) if known is None else known

    async def _fresh_bars(self, conid: int, day: date, give_up: float) -> tuple[Bar, ...]:
        async with _broker(give_up):
            found = await self._client.daily_bars(conid, day)
        await self._cache.keep_bars(conid, day_before(day), found)
        return found


@contextlib.asynccontextmanager
async def _broker(give_up: float) -> AsyncIterator[None]:
    """Turn what goes wrong with the broker into the failure of the step."""
    try:
        async with asyncio.timeout_at(give_up):
            yield
    except TimeoutError as e:
        reason = f"the broker did not answer within {TIME_LIMIT_S:.0f} s"
        raise StepFailedError("timed_out", reason) from e
    except errors.BrokerError as e:
        code = next(code for kind, code in _CODES if isinstance(e, kind))
        raise StepFailedError(code, e.reason, e.attempts) from e
