"""The client against a scripted server: retries, warm-up, and what comes first."""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from shared.events.evidence import Quote
from shared.ibkr import errors
from shared.ibkr.client import IbkrClient, api_url
from shared.ibkr.errors import UnknownSymbolError

ROW = {
    "conid": 4815747,
    "31": "225.54",
    "84": "225.50",
    "86": "225.60",
    "7741": "224.00",
    "6509": "RpB",
    "_updated": 1712596911593,
}
BARE = {"conid": 4815747}
Handler = Callable[[httpx.Request], httpx.Response]


class Server:
    """Answers what it was told to, in order, and remembers the requests."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []
        self.naps: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    @property
    def client(self) -> IbkrClient:
        http = httpx.AsyncClient(
            base_url="http://broker/v1/api/", transport=httpx.MockTransport(self)
        )

        async def nap(seconds: float) -> None:
            self.naps.append(seconds)

        return IbkrClient(http, sleep=nap)


def error(status: int, text: str) -> httpx.Response:
    return httpx.Response(status, json={"error": text})


async def test_a_post_without_body_says_so() -> None:
    server = Server({"authenticated": True})
    await server.client.status()
    assert server.requests[0].headers["content-length"] == "0"
    assert server.requests[0].url.path == "/v1/api/iserver/auth/status"


async def test_a_post_is_made_once_whatever_happens() -> None:
    server = Server(httpx.ReadTimeout("slow"))
    with pytest.raises(errors.UnreachableError):
        await server.client.open_session(compete=True)
    assert len(server.requests) == 1


async def test_a_get_is_tried_three_times_with_growing_pauses() -> None:
    server = Server(httpx.ConnectError("refused"), error(503, "later"), httpx.ReadError("cut"))
    with pytest.raises(errors.UnreachableError) as caught:
        await server.client.accounts()
    assert caught.value.attempts == 3
    assert len(server.naps) == 2


async def test_a_broker_that_says_nothing_is_asked_twice() -> None:
    hung = httpx.Response(504, json={"title": "Broker timed out", "status": 504})
    server = Server(hung, hung)
    with pytest.raises(errors.TimedOutError) as caught:
        await server.client.accounts()
    assert caught.value.attempts == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429])
async def test_a_refusal_is_not_asked_again(status: int) -> None:
    server = Server(error(status, "no"))
    with pytest.raises(errors.BrokerError):
        await server.client.accounts()
    assert len(server.requests) == 1


async def test_accounts_are_asked_first_when_the_broker_wants_it() -> None:
    wish = error(500, "Bad Request: Please query /accounts first")
    server = Server(wish, {"accounts": ["DU1"]}, [ROW])
    quote = await server.client.quote(4815747, lambda _: True)
    assert quote.last == Decimal("225.54")
    asked = [request.url.path.rpartition("/")[2] for request in server.requests]
    assert asked == ["snapshot", "accounts", "snapshot"]


async def test_a_quote_is_polled_for_until_its_prices_are_there() -> None:
    server = Server([BARE], [BARE | {"31": "225.54"}], [ROW])
    await server.client.quote(4815747, lambda _: True)
    assert server.naps == [0.25, 0.25]


async def test_a_quote_is_polled_for_until_its_prior_close_is_there() -> None:
    without = {name: value for name, value in ROW.items() if name != "7741"}
    server = Server([without], [without | {"7741": "C"}], [ROW])
    quote = await server.client.quote(4815747, lambda _: True)
    assert quote.prior_close == Decimal(224)

    server = Server(*[[without]] * 10)
    with pytest.raises(errors.NoQuoteError, match=r"prior close \(7741\) is absent"):
        await server.client.quote(4815747, lambda _: True)
    assert len(server.requests) == 10


async def test_a_quote_that_never_comes_says_what_was_missing() -> None:
    server = Server(*[[BARE]] * 10)
    with pytest.raises(errors.NoQuoteError, match=r"last \(31\) is absent"):
        await server.client.quote(4815747, lambda _: True)
    assert len(server.requests) == 10


async def test_an_old_quote_is_polled_again_and_handed_over_if_it_stays_old() -> None:
    fresh = datetime(2024, 4, 8, 17, 22, tzinfo=UTC)

    def enough(quote: Quote) -> bool:
        return quote.at >= fresh

    server = Server([ROW], [ROW | {"_updated": 1712596980000}])
    assert enough(await server.client.quote(4815747, enough))

    server = Server(*[[ROW]] * 10)
    assert not enough(await server.client.quote(4815747, enough))
    assert len(server.requests) == 10


async def test_history_that_warms_up_is_asked_again() -> None:
    data = {"barLength": 86400, "volumeFactor": 1, "data": []}
    server = Server(error(404, "not yet"), error(500, "Chart data unavailable"), data)
    assert await server.client.daily_bars(4815747, date(2026, 3, 11)) == ()
    asked = server.requests[0].url.params
    assert (asked["period"], asked["bar"], asked["outsideRth"]) == ("1y", "1d", "false")


async def test_many_new_symbols_at_once_cost_two_requests() -> None:
    symbols = [f"S{number}" for number in range(60)]
    rules = [{"lowerEdge": 0.0, "increment": 0.01}]
    stocks, rows = {}, []
    for conid, symbol in enumerate(symbols, 1000):
        listing = {"conid": conid, "exchange": "NASDAQ", "isUS": True}
        stocks[symbol] = [{"name": symbol, "assetClass": "STK", "contracts": [listing]}]
        row = {"conid": conid, "ticker": symbol, "currency": "USD", "assetClass": "STK"}
        rows.append({**row, "incrementRules": rules})
    server = Server(stocks, {"secdef": rows})

    found = await asyncio.gather(*map(server.client.instrument, symbols))

    assert [(one.symbol, one.conid) for one in found] == [
        (symbol, conid) for conid, symbol in enumerate(symbols, 1000)
    ]
    assert found[0].at(Decimal(225)).tick == Decimal("0.01")
    assert [request.url.path.rpartition("/")[2] for request in server.requests] == [
        "stocks",
        "secdef",
    ]
    assert server.requests[0].url.params["symbols"].split(",") == symbols


async def test_of_symbols_asked_for_together_an_unknown_one_fails_alone() -> None:
    listing = {"conid": 4815747, "exchange": "NASDAQ", "isUS": True}
    stock = {"name": "NVIDIA CORP", "assetClass": "STK", "contracts": [listing]}
    row = {"conid": 4815747, "ticker": "NVDA", "currency": "USD", "assetClass": "STK"}
    rules = [{"lowerEdge": 0.0, "increment": 0.01}]
    server = Server({"NVDA": [stock]}, {"secdef": [{**row, "incrementRules": rules}]})

    known, unknown = await asyncio.gather(
        *map(server.client.instrument, ("NVDA", "ZZZZ")), return_exceptions=True
    )

    assert getattr(known, "conid", None) == 4815747
    assert isinstance(unknown, UnknownSymbolError)


def test_the_address_of_the_api_may_be_given_with_or_without_its_path() -> None:
    expected = "https://localhost:5000/v1/api"
    assert api_url("https://localhost:5000") == api_url("https://localhost:5000/") == expected
    assert api_url("https://localhost:5000/v1/api/") == expected
