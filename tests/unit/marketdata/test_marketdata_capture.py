"""What is asked of the broker for one symbol, and what its failures become."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from services.marketdata.capture import Capture
from services.marketdata.store import Cache
from shared.events.evidence import Bar, Quote
from shared.failures import StepFailedError
from shared.ibkr.client import IbkrClient
from shared.ibkr.contracts import Instrument
from tests.unit.marketdata.market_facts import NOW, TODAY, an_instrument, days_before, some_bars

END = NOW + timedelta(minutes=30)
LISTING = {"conid": 4815747, "exchange": "NASDAQ", "isUS": True}
STOCK = {"name": "NVIDIA CORP", "assetClass": "STK", "contracts": [LISTING]}
DEFINITION = {"conid": 4815747, "ticker": "NVDA", "currency": "USD", "assetClass": "STK"}
ROW = {
    "conid": 4815747,
    "31": "100.10",
    "84": "100.00",
    "86": "100.20",
    "7741": "100.00",
    "6509": "RpB",
    "_updated": int(NOW.timestamp() * 1000),
}


def charted(day: date, close: float) -> dict[str, Any]:
    start = datetime(day.year, day.month, day.day, 14, 30, tzinfo=UTC)
    return {"o": 99, "h": 200, "l": 50, "c": close, "v": 10, "t": int(start.timestamp() * 1000)}


class Broker:
    """A broker that knows NVDA; each endpoint can be told to answer something else."""

    def __init__(self, **answers: Any) -> None:
        data = [charted(day, 100) for day in days_before(TODAY, 60)]
        rules = [{"lowerEdge": 0, "increment": 0.01}]
        self.answers: dict[str, Any] = {
            "stocks": {"NVDA": [STOCK]},
            "secdef": {"secdef": [DEFINITION | {"incrementRules": rules}]},
            "snapshot": [ROW],
            "history": {"barLength": 86400, "volumeFactor": 100, "data": data},
        } | answers
        self.asked: Counter[str] = Counter()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        self.asked[name] += 1
        answer = self.answers[name]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, asyncio.Event):
            await answer.wait()
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    def client(self) -> IbkrClient:
        async def nap(_: float) -> None:
            return

        http = httpx.AsyncClient(
            base_url="http://gateway/v1/api/", transport=httpx.MockTransport(self)
        )
        return IbkrClient(http, sleep=nap)


class MemoryCache(Cache):
    """The cache without its database."""

    def __init__(self) -> None:
        self.instruments: dict[str, Instrument] = {}
        self.kept: dict[tuple[int, date], tuple[Bar, ...]] = {}

    async def instrument(self, symbol: str, now: datetime) -> Instrument | None:
        assert now.tzinfo is not None
        return self.instruments.get(symbol)

    async def keep_instrument(self, instrument: Instrument, now: datetime) -> None:
        assert now.tzinfo is not None
        self.instruments[instrument.symbol] = instrument

    async def bars(self, conid: int, through: date) -> tuple[Bar, ...] | None:
        return self.kept.get((conid, through))

    async def keep_bars(self, conid: int, through: date, found: Sequence[Bar]) -> None:
        self.kept[conid, through] = tuple(found)


class StoppedClock:
    """Market time stands at NOW, or where it is moved to."""

    simulated = True

    def __init__(self) -> None:
        self.instant = NOW

    def now(self) -> datetime:
        """Return the same instant until it is moved."""
        return self.instant


def warm() -> MemoryCache:
    cache = MemoryCache()
    cache.instruments["NVDA"] = an_instrument()
    cache.kept[4815747, date(2026, 3, 10)] = some_bars(60)
    return cache


async def of_nvda(
    broker: Broker, cache: MemoryCache, clock: StoppedClock | None = None
) -> tuple[Instrument, Quote, tuple[Bar, ...]]:
    work = Capture(broker.client(), cache, clock or StoppedClock())
    return await work.of("NVDA", (), enough=lambda _: True, expires_at=END)


async def failure(broker: Broker, cache: MemoryCache | None = None) -> StepFailedError:
    with pytest.raises(StepFailedError) as caught:
        await of_nvda(broker, cache or MemoryCache())
    return caught.value


async def test_a_known_symbol_costs_one_snapshot_and_nothing_else() -> None:
    broker = Broker()
    instrument, _, bars = await of_nvda(broker, warm())
    assert broker.asked == {"snapshot": 1}
    assert (instrument, bars) == (an_instrument(), some_bars(60))


async def test_a_new_symbol_is_asked_for_once_and_kept_for_the_day() -> None:
    broker, cache = Broker(), MemoryCache()
    first = await of_nvda(broker, cache)
    assert await of_nvda(broker, cache) == first
    assert broker.asked == {"stocks": 1, "secdef": 1, "history": 1, "snapshot": 2}


async def test_kept_bars_of_another_market_are_asked_for_again() -> None:
    cache = warm()
    old = [bar.model_copy(update={"close": bar.high}) for bar in some_bars(60)]
    data = [charted(day, 180) for day in days_before(TODAY, 60)]
    broker = Broker(
        snapshot=[ROW | {"7741": "180.00"}],
        history={"barLength": 86400, "volumeFactor": 1, "data": data},
    )
    cache.kept[4815747, date(2026, 3, 10)] = tuple(old)
    _, _, bars = await of_nvda(broker, cache)
    assert {bar.close for bar in bars} == {180}
    assert cache.kept[4815747, date(2026, 3, 10)] == bars


@pytest.mark.parametrize(
    ("answers", "code", "attempts"),
    [
        ({"stocks": {}}, "unknown_symbol", 1),
        ({"stocks": {"NVDA": [STOCK, STOCK]}}, "ambiguous_symbol", 1),
        ({"secdef": {}}, "broker_error", 1),
        ({"snapshot": [{"conid": 4815747}]}, "no_quote", 1),
        ({"history": {"barLength": 60, "volumeFactor": 1, "data": []}}, "bad_bars", 1),
        ({"stocks": httpx.ConnectError("refused")}, "broker_unreachable", 3),
        ({"snapshot": httpx.Response(503)}, "broker_unreachable", 3),
        ({"snapshot": httpx.Response(400, json={"error": "no bridge"})}, "broker_unreachable", 3),
        ({"stocks": httpx.Response(200, text="<html>")}, "login_required", 1),
        ({"snapshot": httpx.Response(504)}, "timed_out", 2),
        ({"snapshot": [{n: v for n, v in ROW.items() if n != "7741"}]}, "no_quote", 1),
        ({"history": httpx.Response(429)}, "too_many_requests", 1),
        ({"history": httpx.Response(400)}, "broker_error", 1),
    ],
)
async def test_each_failure_of_the_broker_is_a_failed_step_with_its_code(
    answers: dict[str, Any], code: str, attempts: int
) -> None:
    found = await failure(Broker(**answers))
    assert (found.code, found.attempts) == (code, attempts)
    assert found.reason


async def test_the_end_of_the_run_ends_what_is_still_waited_for() -> None:
    clock, cache = StoppedClock(), warm()
    waiting = asyncio.create_task(of_nvda(Broker(snapshot=asyncio.Event()), cache, clock))
    await asyncio.sleep(0)
    clock.instant = END

    with pytest.raises(StepFailedError) as caught:
        await waiting

    assert caught.value.code == "expired"
    assert END.isoformat() in caught.value.reason


async def test_a_storage_that_is_away_is_no_failure_of_the_broker() -> None:
    class Away(MemoryCache):
        async def instrument(self, symbol: str, now: datetime) -> Instrument | None:
            raise ConnectionError(symbol, now)

    with pytest.raises(ConnectionError):
        await of_nvda(Broker(), Away())


def history(count: int) -> dict[str, Any]:
    data = [charted(day, 100) for day in days_before(TODAY, count)]
    return {"barLength": 86400, "volumeFactor": 100, "data": data}


@pytest.mark.parametrize(("count", "code"), [(0, "no_bars"), (30, "too_few_bars")])
async def test_bars_that_are_not_good_are_not_kept_and_asked_for_again(
    count: int, code: str
) -> None:
    cache = MemoryCache()
    assert (await failure(Broker(history=history(count)), cache)).code == code

    _, _, bars = await of_nvda(broker := Broker(history=history(60)), cache)

    assert len(bars) == 60
    assert broker.asked["history"] == 1


async def test_kept_bars_that_lack_a_day_are_asked_for_again() -> None:
    cache = warm()
    cache.kept[4815747, date(2026, 3, 10)] = some_bars(61)[:-1]

    _, _, bars = await of_nvda(Broker(), cache)

    assert bars[-1].date == date(2026, 3, 10)
    assert cache.kept[4815747, date(2026, 3, 10)] == bars


async def test_a_failure_keeps_nothing() -> None:
    cache = MemoryCache()
    await failure(Broker(secdef={}), cache)
    assert (cache.instruments, cache.kept) == ({}, {})
