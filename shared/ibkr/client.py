"""Asking the Client Portal API: one request, its retries, and the calls that we use."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import Any

import httpx
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception_type,
    wait_random_exponential,
)

from shared.events.evidence import Bar, Quote
from shared.ibkr import answer, contracts, history, snapshot
from shared.ibkr.errors import (
    AccountsFirstError,
    BrokerError,
    NoBridgeError,
    NoQuoteError,
    NotFoundError,
    TimedOutError,
    UnavailableError,
    UnreachableError,
)
from shared.merge import Merge

BASE_PATH = "/v1/api"
# A year of days: SMA 200 has its bars, and one answer holds them all.
PERIOD = "1y"
_TRANSIENT = (UnreachableError, UnavailableError, NoBridgeError)
# A time-out has cost its ten seconds: nobody waits for a third.
_ATTEMPTS, _ATTEMPTS_TIMED_OUT = 3, 2
_POLLS, _POLL_EVERY_S = 10, 0.25
# More of them would stand in the gateway's line before the quotes of other symbols.
_CHARTS_AT_ONCE = 10

Sleep = Callable[[float], Awaitable[None]]


def api_url(base_url: str) -> str:
    """Return the address of the API, given it or the server's."""
    root = base_url.rstrip("/")
    return root if root.endswith(BASE_PATH) else root + BASE_PATH


def tls(ca_file: Path | None) -> ssl.SSLContext:
    """Return a verifying TLS context: the system's authorities, or those of ``ca_file``."""
    return ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))


class IbkrClient:
    """The calls of the Client Portal API that we use. All raise BrokerError, by kind.

    A GET is made up to three times where that may help, with jitter, and twice where the broker
    says nothing; the caller bounds the time of it all. A POST is made once.
    """

    def __init__(self, http: httpx.AsyncClient, *, sleep: Sleep = asyncio.sleep) -> None:
        self._http = http
        self._sleep = sleep
        self._stocks = Merge(self._asking("trsrv/stocks"))
        self._secdef = Merge(self._asking("trsrv/secdef"))
        self._charts = asyncio.Semaphore(_CHARTS_AT_ONCE)

    async def status(self) -> Any:
        """Return the state of the brokerage session (see ``session.standing``)."""
        return await self._request("POST", "iserver/auth/status")

    async def tickle(self) -> Any:
        """Keep the session alive."""
        return await self._request("POST", "tickle")

    async def open_session(self, *, compete: bool) -> Any:
        """Open the brokerage session; the answer is a status, which may say that it failed."""
        body = {"publish": True, "compete": compete}
        return await self._request("POST", "iserver/auth/ssodh/init", json=body)

    async def accounts(self) -> Any:
        """Return the accounts; must be asked first in each brokerage session."""
        return await self._retried("iserver/accounts")

    async def instrument(self, symbol: str) -> contracts.Instrument:
        """Return the one US stock of a symbol, verified; two requests, however many ask at once."""
        stocks = await self._stocks.ask((symbol,), "symbols")
        found = contracts.resolve(symbol, stocks)
        secdef = await self._secdef.ask((str(found.conid),), "conids")
        return contracts.verify(symbol, found, secdef)

    async def quote(self, conid: int, enough: Callable[[Quote], bool]) -> Quote:
        """Return a quote, polled for until there is one that is ``enough``, 2.5 s at most.

        The last quote is returned even if it never was enough; NoQuoteError if there was none.
        """
        found = await self._snapshot(conid)
        for _ in range(1, _POLLS):
            if isinstance(found, Quote) and enough(found):
                break
            await self._sleep(_POLL_EVERY_S)
            found = await self._snapshot(conid)
        if isinstance(found, snapshot.NoQuote):
            raise NoQuoteError(found.why)
        return found

    async def daily_bars(self, conid: int, today: date) -> tuple[Bar, ...]:
        """Return the finished days of the last year before ``today``, oldest first."""
        async with self._charts:
            found = await self._get(
                "iserver/marketdata/history",
                NotFoundError,
                conid=conid,
                period=PERIOD,
                bar=history.DAILY,
                outsideRth="false",
            )
        return history.daily_bars(found, today)

    def _asking(self, path: str) -> Callable[[tuple[str, ...], str], Awaitable[Any]]:
        return lambda names, parameter: self._get(path, **{parameter: ",".join(names)})

    async def _snapshot(self, conid: int) -> Quote | snapshot.NoQuote:
        path, fields = "iserver/marketdata/snapshot", ",".join(snapshot.FIELDS)
        return snapshot.read(await self._get(path, conids=conid, fields=fields), conid)

    async def _get(self, path: str, *also: type[BrokerError], **params: Any) -> Any:
        try:
            return await self._retried(path, *also, **params)
        except AccountsFirstError:
            await self.accounts()
            return await self._retried(path, *also, **params)

    async def _retried(self, path: str, *also: type[BrokerError], **params: Any) -> Any:
        retrying = AsyncRetrying(
            retry=retry_if_exception_type((*_TRANSIENT, *also)),
            stop=_tried_enough,
            wait=wait_random_exponential(multiplier=0.2, max=2),
            sleep=self._sleep,
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                try:
                    return await self._request("GET", path, params=params)
                except BrokerError as e:
                    e.attempts = attempt.retry_state.attempt_number
                    raise
        return None

    async def _request(self, method: str, path: str, **content: Any) -> Any:
        try:
            found = await self._http.request(method, path, **content)
        except httpx.HTTPError as e:
            msg = f"{self._http.base_url}{path} did not answer: {type(e).__name__} {e}".rstrip()
            raise UnreachableError(msg) from e
        headers = found.headers
        return answer.read(
            found.status_code,
            headers.get("content-type", ""),
            found.content,
            headers.get("retry-after"),
        )


def _tried_enough(state: RetryCallState) -> bool:
    timed_out = state.outcome is not None and isinstance(state.outcome.exception(), TimedOutError)
    return state.attempt_number >= (_ATTEMPTS_TIMED_OUT if timed_out else _ATTEMPTS)
