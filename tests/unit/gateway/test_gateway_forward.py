"""Requests of others, merged and passed on."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from services.gateway.callers import Callers
from services.gateway.forward import SNAPSHOT, Answer, Forwarder
from services.gateway.pacing import HeldError
from services.gateway.routes import make_router
from services.gateway.settings import CallerSettings

FIELDS = "31,84,86"


class Broker:
    """Answers snapshots with a row per contract, all else with ``answer``; remembers requests."""

    def __init__(self, answer: httpx.Response | Exception | None = None) -> None:
        self.requests: list[httpx.Request] = []
        self.answer = answer
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        await self.open.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        if self.answer is not None:
            return self.answer
        if request.url.path.endswith("/snapshot"):
            conids = request.url.params["conids"].split(",")
            return httpx.Response(200, json=[{"conid": int(c), "31": c} for c in conids])
        return httpx.Response(200, json={"path": request.url.path})

    def forwarder(self) -> Forwarder:
        return Forwarder(
            httpx.AsyncClient(base_url="http://broker/v1/api/", transport=httpx.MockTransport(self))
        )


def snapshot_of(*conids: int, fields: str = FIELDS) -> tuple[tuple[str, str], ...]:
    return (("conids", ",".join(map(str, conids))), ("fields", fields))


def conids_in(answer: Answer) -> list[int]:
    return [row["conid"] for row in json.loads(answer.content)]


async def test_snapshots_at_the_same_time_are_one_request_and_each_gets_its_rows() -> None:
    broker = Broker()
    forwarder = broker.forwarder()
    asked = [(1,), (2,), (1, 3)]
    answers = await asyncio.gather(*(forwarder.get(SNAPSHOT, snapshot_of(*c)) for c in asked))
    assert [conids_in(answer) for answer in answers] == [[1], [2], [1, 3]]
    assert [request.url.params["conids"] for request in broker.requests] == ["1,2,3"]


async def test_snapshots_of_other_fields_are_another_request() -> None:
    broker = Broker()
    forwarder = broker.forwarder()
    await asyncio.gather(
        forwarder.get(SNAPSHOT, snapshot_of(1)),
        forwarder.get(SNAPSHOT, snapshot_of(1, fields="31")),
    )
    assert len(broker.requests) == 2


async def test_no_request_asks_for_more_than_a_hundred_contracts() -> None:
    broker = Broker()
    forwarder = broker.forwarder()
    answers = await asyncio.gather(
        *(forwarder.get(SNAPSHOT, snapshot_of(n)) for n in range(1, 251))
    )
    assert [conids_in(answer) for answer in answers] == [[n] for n in range(1, 251)]
    sizes = [len(request.url.params["conids"].split(",")) for request in broker.requests]
    assert sizes == [100, 100, 50]


async def test_while_the_broker_is_slow_the_next_request_grows() -> None:
    broker = Broker()
    broker.open.clear()
    forwarder = broker.forwarder()
    tasks = []
    for conid in range(1, 41):
        tasks.append(asyncio.create_task(forwarder.get(SNAPSHOT, snapshot_of(conid))))
        await asyncio.sleep(0.003)
    broker.open.set()
    answers = await asyncio.gather(*tasks)
    assert [conids_in(answer) for answer in answers] == [[n] for n in range(1, 41)]
    assert len(broker.requests) == 5


async def test_an_error_goes_to_all_who_asked() -> None:
    broker = Broker(httpx.Response(400, json={"error": "no bridge"}))
    forwarder = broker.forwarder()
    answers = await asyncio.gather(*(forwarder.get(SNAPSHOT, snapshot_of(n)) for n in (1, 2)))
    assert [a.status for a in answers] == [400, 400]
    assert json.loads(answers[0].content) == {"error": "no bridge"}


async def test_the_same_question_at_the_same_time_is_asked_once() -> None:
    broker = Broker()
    forwarder = broker.forwarder()
    query, turned = (("a", "1"), ("b", "2")), (("b", "2"), ("a", "1"))
    same = await asyncio.gather(
        forwarder.get("trsrv/stocks", query), forwarder.get("trsrv/stocks", turned)
    )
    assert same[0] is same[1]
    await forwarder.get("trsrv/stocks", query)
    assert len(broker.requests) == 2


async def test_a_caller_that_goes_away_cancels_nothing_for_the_others() -> None:
    broker = Broker()
    broker.open.clear()
    forwarder = broker.forwarder()
    gone = asyncio.create_task(forwarder.get("trsrv/stocks", ()))
    stays = asyncio.create_task(forwarder.get("trsrv/stocks", ()))
    await asyncio.sleep(0)
    gone.cancel()
    broker.open.set()
    assert (await stays).status == 200


@pytest.mark.parametrize(
    ("failure", "status", "retry_after"),
    [
        (httpx.ConnectError("refused"), 502, None),
        (httpx.ReadTimeout("slow"), 504, None),
        (HeldError("tickle", 899.6), 429, "900"),
    ],
)
async def test_what_goes_wrong_on_the_way_is_a_problem_of_ours(
    failure: Exception, status: int, retry_after: str | None
) -> None:
    answer = await Broker(failure).forwarder().get("trsrv/stocks", ())
    assert (answer.status, answer.retry_after) == (status, retry_after)
    assert answer.content_type == "application/problem+json"


def web(broker: Broker) -> httpx.AsyncClient:
    secrets = CallerSettings(
        marketdata_secret=SecretStr("m" * 16), execution_secret=SecretStr("e" * 16)
    )
    app = FastAPI()
    app.include_router(make_router(broker.forwarder(), Callers(secrets)))
    return httpx.AsyncClient(base_url="http://gateway", transport=httpx.ASGITransport(app))


def as_marketdata() -> dict[str, str]:
    return {"Authorization": f"Bearer {'m' * 16}"}


async def test_a_known_caller_gets_the_brokers_own_answer() -> None:
    page = httpx.Response(302, text="<html>", headers={"content-type": "text/html"})
    broker = Broker(page)
    answer = await web(broker).get(
        "/v1/api/trsrv/stocks", params={"symbols": "NVDA,TSLA"}, headers=as_marketdata()
    )
    assert (answer.status_code, answer.text) == (302, "<html>")
    assert answer.headers["content-type"] == "text/html"
    assert broker.requests[0].url.params["symbols"] == "NVDA,TSLA"
    assert "authorization" not in broker.requests[0].headers


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "trsrv/stocks", {}, 401),
        ("GET", "trsrv/stocks", {"Authorization": "Bearer x"}, 401),
        ("GET", "portfolio/accounts", as_marketdata(), 403),
        ("GET", "trsrv/%2e%2e/portfolio/accounts", as_marketdata(), 403),
        ("POST", "iserver/account/DU1/orders", {"Authorization": f"Bearer {'e' * 16}"}, 403),
        ("DELETE", "iserver/account/DU1/order/1", {"Authorization": f"Bearer {'e' * 16}"}, 403),
    ],
)
async def test_others_are_refused_and_nothing_reaches_the_broker(
    method: str, path: str, headers: dict[str, str], status: int
) -> None:
    broker = Broker()
    answer = await web(broker).request(method, f"/v1/api/{path}", headers=headers)
    problem: dict[str, Any] = answer.json()
    assert (answer.status_code, problem["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert broker.requests == []


async def test_a_post_that_reads_is_passed_on_with_its_body() -> None:
    broker = Broker()
    answer = await web(broker).post(
        "/v1/api/iserver/contract/rules", json={"conid": 1}, headers=as_marketdata()
    )
    assert answer.status_code == 200
    assert json.loads(broker.requests[0].content) == {"conid": 1}
