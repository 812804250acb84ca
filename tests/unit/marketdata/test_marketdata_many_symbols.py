"""Many symbols at once through the gateway's own pacing, in virtual time."""

import asyncio
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from services.gateway.broker import PacedTransport
from services.gateway.callers import Callers
from services.gateway.forward import Forwarder
from services.gateway.pacing import Pacer
from services.gateway.routes import make_router
from services.gateway.settings import CallerSettings
from services.marketdata.capture import Capture
from shared.events.evidence import Bar, Quote
from shared.failures import StepFailedError
from shared.ibkr.client import IbkrClient
from shared.ibkr.contracts import Instrument
from tests.unit.marketdata.market_facts import NOW, TODAY, an_instrument, days_before, some_bars
from tests.unit.marketdata.test_marketdata_capture import ROW, MemoryCache, charted
from tests.unit.marketdata.virtual_time import in_virtual_time

SYMBOLS = tuple(f"S{number}" for number in range(100))
KNOWN = "S500"
END = NOW + timedelta(minutes=30)
Found = tuple[Instrument, Quote, tuple[Bar, ...]]


def moment() -> datetime:
    return NOW + timedelta(seconds=asyncio.get_running_loop().time())


class VirtualClock:
    simulated = True

    def now(self) -> datetime:
        return moment()


class Broker:
    """Knows any symbol S<n> as contract <n + 1> and takes a tenth of a second for an answer.

    The first row of a contract is empty, as the broker's is. What is in ``hung`` times out.
    """

    def __init__(self, *hung: str, takes_s: float = 0.1) -> None:
        self.hung, self.takes_s = hung, takes_s
        self.asked: Counter[str] = Counter()
        self.instants: list[float] = []
        self.seen: set[str] = set()
        data = [charted(day, 100) for day in days_before(TODAY, 60)]
        self.chart = {"barLength": 86400, "volumeFactor": 100, "data": data}

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        self.asked[name] += 1
        self.instants.append(asyncio.get_running_loop().time())
        asked = {key: value.split(",") for key, value in request.url.params.items()}
        if name in self.hung:
            await asyncio.sleep(10)
            raise httpx.ReadTimeout("nothing came")
        await asyncio.sleep(self.takes_s)
        return httpx.Response(200, json=getattr(self, name)(asked))

    def stocks(self, asked: dict[str, list[str]]) -> dict[str, Any]:
        return {symbol: [self.company(int(symbol[1:]) + 1)] for symbol in asked["symbols"]}

    def company(self, conid: int) -> dict[str, Any]:
        listing = {"conid": conid, "exchange": "NASDAQ", "isUS": True}
        return {"name": "X", "assetClass": "STK", "contracts": [listing]}

    def secdef(self, asked: dict[str, list[str]]) -> dict[str, Any]:
        rules = [{"lowerEdge": 0, "increment": 0.01}]
        row = {"currency": "USD", "assetClass": "STK", "incrementRules": rules}
        return {
            "secdef": [
                {**row, "conid": int(c), "ticker": f"S{int(c) - 1}"} for c in asked["conids"]
            ]
        }

    def snapshot(self, asked: dict[str, list[str]]) -> list[dict[str, Any]]:
        updated = {"_updated": int(moment().timestamp() * 1000)}
        known = [(c, c in self.seen) for c in asked["conids"]]
        self.seen.update(asked["conids"])
        return [{**(ROW | updated if seen else {}), "conid": int(c)} for c, seen in known]

    def history(self, _: dict[str, list[str]]) -> dict[str, Any]:
        return self.chart


class SlowCache(MemoryCache):
    """Takes as long as a database with a pool of four, so that symbols do not come in at once."""

    def __init__(self) -> None:
        super().__init__()
        known = an_instrument(KNOWN).model_copy(update={"conid": 501})
        self.instruments[KNOWN], self.kept[501, date(2026, 3, 10)] = known, some_bars(60)
        self.pool = asyncio.Semaphore(4)

    async def instrument(self, symbol: str, now: datetime) -> Instrument | None:
        async with self.pool:
            await asyncio.sleep(0.004)
        return await super().instrument(symbol, now)


def capture(broker: Broker) -> Capture:
    secret = "m" * 16
    secrets = CallerSettings(
        marketdata_secret=SecretStr(secret), execution_secret=SecretStr("e" * 16)
    )
    paced = PacedTransport(httpx.MockTransport(broker), Pacer())
    app = FastAPI()
    forwarder = Forwarder(httpx.AsyncClient(base_url="http://broker/v1/api/", transport=paced))
    app.include_router(make_router(forwarder, Callers(secrets)))
    http = httpx.AsyncClient(
        base_url="http://gateway/v1/api/",
        transport=httpx.ASGITransport(app),
        headers={"Authorization": f"Bearer {secret}"},
    )
    return Capture(IbkrClient(http), SlowCache(), VirtualClock())


async def of(work: Capture, symbol: str) -> Found:
    return await work.of(symbol, (), enough=lambda _: True, expires_at=END)


def test_a_hundred_new_symbols_are_captured_in_the_brokers_pace() -> None:
    broker = Broker()

    async def run() -> tuple[list[Found], float]:
        work = capture(broker)
        found = await asyncio.gather(*(of(work, symbol) for symbol in SYMBOLS))
        return found, asyncio.get_running_loop().time()

    found, took_s = in_virtual_time(run)

    assert [(i.symbol, i.conid, len(bars)) for i, _, bars in found] == [
        (symbol, number + 1, 60) for number, symbol in enumerate(SYMBOLS)
    ]
    assert broker.asked["history"] == 100
    assert broker.asked["stocks"] + broker.asked["secdef"] <= 20
    assert took_s < 25
    begun = broker.instants
    assert all(ninth - first > 0.999 for first, ninth in zip(begun, begun[8:], strict=False))


def test_a_slow_broker_makes_a_run_long_and_fails_nothing() -> None:
    async def run() -> tuple[int, float]:
        work = capture(Broker(takes_s=6))
        found = await asyncio.gather(*(of(work, symbol) for symbol in SYMBOLS))
        return len(found), asyncio.get_running_loop().time()

    count, took_s = in_virtual_time(run)

    assert count == 100
    assert took_s > 120


def test_while_new_symbols_wait_a_known_one_is_quoted_soon() -> None:
    async def run() -> float:
        work, loop = capture(Broker()), asyncio.get_running_loop()
        others = [asyncio.create_task(of(work, symbol)) for symbol in SYMBOLS]
        await asyncio.sleep(3)
        asked = loop.time()
        await of(work, KNOWN)
        took_s = loop.time() - asked
        await asyncio.gather(*others)
        return took_s

    assert in_virtual_time(run) < 5


@pytest.mark.parametrize("path", ["stocks", "secdef", "history", "snapshot"])
def test_a_broker_that_hangs_fails_a_symbol_in_twenty_seconds(path: str) -> None:
    async def run() -> tuple[StepFailedError, float]:
        with pytest.raises(StepFailedError) as caught:
            await of(capture(Broker(path)), "S1")
        return caught.value, asyncio.get_running_loop().time()

    failure, took_s = in_virtual_time(run)

    assert (failure.code, failure.attempts) == ("timed_out", 2)
    assert "the broker did not answer in time" in failure.reason
    assert 20 <= took_s < 25
