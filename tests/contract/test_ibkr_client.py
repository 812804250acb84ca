"""Our client against the simulator as a server of its own, quirks and faults included."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from datetime import date
from typing import Any

import httpx
import pytest

from shared.ibkr import errors
from shared.ibkr.client import IbkrClient
from shared.ibkr.session import standing

# A Tuesday, a minute after the bell.
START = "2026-03-10T13:31:00Z"
TODAY = date(2026, 3, 10)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 40
    while server.poll() is None and time.monotonic() < deadline:
        try:
            httpx.get(f"{url}/v1/api/trsrv/stocks?symbols=TSLA", timeout=2)
        except httpx.TransportError:
            time.sleep(0.1)  # a process that starts has no event to wait for
        else:
            return
    pytest.fail("the simulator did not come up")


@pytest.fixture(scope="module")
def simulator() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "services.simulator", "--port", str(port), "--start", START]
    # Pacing is the gateway's: here the client is alone and in a hurry.
    command += ["--switch", "requests_per_s=0"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(url, server)
            yield url
        finally:
            server.terminate()


@pytest.fixture
async def client(simulator: str) -> AsyncIterator[IbkrClient]:
    async with httpx.AsyncClient(base_url=f"{simulator}/v1/api/", trust_env=False) as http:
        yield IbkrClient(http)


@contextlib.asynccontextmanager
async def faulty(simulator: str, fault: dict[str, Any]) -> AsyncIterator[IbkrClient]:
    """Give a client that never naps, and a fault in force meanwhile."""

    async def nap(_: float) -> None:
        return

    faults = f"{simulator}/__sim__/faults"
    async with httpx.AsyncClient(base_url=f"{simulator}/v1/api/", trust_env=False) as http:
        (await http.put(faults, json={"faults": [fault]})).raise_for_status()
        try:
            yield IbkrClient(http, sleep=nap)
        finally:
            (await http.delete(faults)).raise_for_status()


async def test_a_login_that_is_there_is_ready(client: IbkrClient) -> None:
    assert standing(await client.status()).state == "ready"
    assert (await client.tickle())["session"]
    accounts = await client.accounts()
    assert (accounts["accounts"], accounts["isPaper"]) == (["DU1234567"], True)


async def test_a_session_can_be_opened_again(client: IbkrClient) -> None:
    assert standing(await client.open_session(compete=True)).state == "ready"


@pytest.mark.parametrize(("symbol", "conid"), [("NVDA", 4815747), ("TSLA", 76792991)])
async def test_a_symbol_is_its_one_us_stock(client: IbkrClient, symbol: str, conid: int) -> None:
    instrument = await client.instrument(symbol)
    assert (instrument.conid, instrument.currency) == (conid, "USD")
    assert instrument.increments


async def test_an_unknown_symbol_is_unknown(client: IbkrClient) -> None:
    with pytest.raises(errors.UnknownSymbolError):
        await client.instrument("ZZZZ")


async def test_a_quote_comes_after_the_warm_up(client: IbkrClient) -> None:
    quote = await client.quote(76792991, lambda _: True)
    assert 0 < quote.bid <= quote.ask
    assert quote.availability.startswith("R")
    assert quote.prior_close is not None


async def test_a_year_of_finished_days_ends_where_the_quote_begins(client: IbkrClient) -> None:
    bars = await client.daily_bars(76792991, TODAY)
    quote = await client.quote(76792991, lambda _: True)
    assert len(bars) >= 200
    assert bars[-1].date == date(2026, 3, 9)
    assert bars[-1].close == quote.prior_close
    assert all(bar.date.weekday() < 5 for bar in bars)


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"kind": "empty_snapshot"}, errors.NoQuoteError),
        ({"kind": "html"}, errors.NotLoggedInError),
        ({"kind": "logged_out"}, errors.NotLoggedInError),
        ({"kind": "no_bridge"}, errors.NoBridgeError),
        ({"kind": "drop"}, errors.UnreachableError),
        ({"kind": "status", "status": 503}, errors.UnavailableError),
        ({"kind": "status", "status": 429}, errors.TooManyRequestsError),
    ],
)
async def test_a_quote_fails_as_the_broker_does(
    simulator: str, fault: dict[str, Any], expected: type[errors.BrokerError]
) -> None:
    async with faulty(simulator, fault) as impatient:
        with pytest.raises(errors.BrokerError) as caught:
            await impatient.quote(76792991, lambda _: True)
    assert type(caught.value) is expected


async def test_one_failure_on_the_way_is_got_over(simulator: str) -> None:
    for fault in ({"kind": "drop"}, {"kind": "status", "status": 503}, {"kind": "no_bridge"}):
        async with faulty(simulator, {**fault, "count": 1}) as impatient:
            assert (await impatient.quote(76792991, lambda _: True)).last > 0


async def test_bars_upside_down_are_refused(simulator: str) -> None:
    async with faulty(simulator, {"kind": "bad_bars"}) as impatient:
        with pytest.raises(errors.BadBarsError, match="is below low"):
            await impatient.daily_bars(76792991, TODAY)


@pytest.mark.parametrize(
    ("kind", "state"),
    [("competing", "competing"), ("logged_out", "login_required"), ("drop", "unreachable")],
)
async def test_the_ladder_follows_the_broker(simulator: str, kind: str, state: str) -> None:
    async with faulty(simulator, {"kind": kind}) as impatient:
        try:
            status = await impatient.status()
        except errors.BrokerError as e:
            status = e
    assert standing(status).state == state


async def test_nobody_at_the_address_is_unreachable() -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{free_port()}/v1/api/") as http:
        with pytest.raises(errors.UnreachableError, match="ConnectError"):
            await IbkrClient(http).status()
