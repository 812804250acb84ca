"""The main job through every service, asked for in every way there is."""

import asyncio
import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest

from tests.e2e.outside import cli, record_at, run_asked_at
from tests.running import Running, fresh_strategy, new_run_id, of_run

REQUEST = {"strategy_id": 1, "symbols": ["TSLA", "NVDA"], "dry_run": True}
RUN_STEPS = ("run.accepted", "run.market-open", "run.broker-ready")
SYMBOL_STEPS = ("evidence.captured", "signal.checked", "order.changed")
OUTCOMES = {"held", "declined", "simulated"}


def by_plain_kafka(running: Running) -> str:
    async def ask() -> str:
        place = await running.publish("run.requested", json.dumps(REQUEST).encode())
        record = await record_at(running, place)
        assert (record.key, record.headers) == (None, ())
        return await run_asked_at(running, place)

    return asyncio.run(ask())


def by_rest(running: Running) -> str:
    return running.trigger(**REQUEST)


def by_trigger(running: Running) -> str:
    done = cli(running, "trigger", "TSLA", "NVDA", "--strategy", "1", "--json")
    assert done.returncode == 0, done.stderr
    run_id: str = json.loads(done.stdout)["run_id"]
    return run_id


def by_publish(running: Running) -> str:
    done = cli(running, "publish", "run.requested", json.dumps(REQUEST), "--json")
    assert done.returncode == 0, done.stderr
    sent = json.loads(done.stdout)
    place = f"{sent['topic']}/{sent['partition']}/{sent['offset']}"
    return asyncio.run(run_asked_at(running, place))


@dataclass(frozen=True)
class Told:
    """A run as REST shows it, and its events in the ledger that are ours."""

    run: dict[str, Any]
    events: list[dict[str, Any]]

    def of(self, kind: str, symbol: str | None = None) -> dict[str, Any]:
        """Return the one event of a kind."""
        (found,) = [e for e in self.events if (e["type"], e["symbol"]) == (kind, symbol)]
        return found


@pytest.fixture(
    scope="module",
    params=[by_plain_kafka, by_rest, by_trigger, by_publish],
    ids=lambda way: way.__name__,
)
def told(running: Running, request: pytest.FixtureRequest) -> Told:
    ask: Callable[[Running], str] = request.param
    run_id = ask(running)
    run = running.finished(run_id, 80)
    return Told(run, [e for e in running.events(run_id) if e["type"] != "run.requested"])


pytestmark = pytest.mark.timeout(120)


def test_every_step_is_taken_once_and_in_order(told: Told) -> None:
    for symbol in ("TSLA", "NVDA"):
        way = [told.of(step) for step in RUN_STEPS]
        way += [told.of(step, symbol) for step in SYMBOL_STEPS]
        way += [told.of("run.finished")]
        times = [datetime.fromisoformat(e["body"]["occurred_at"]) for e in way]

        assert all(a <= b for a, b in itertools.pairwise(times)), times
    assert len(told.events) == len(RUN_STEPS) + 2 * len(SYMBOL_STEPS) + 1


def test_every_event_says_when_by_both_clocks_and_of_which_run(told: Told) -> None:
    for event in told.events:
        body = event["body"]
        assert body["occurred_at"].endswith("Z")
        assert body["market_time"] == "2023-06-05T14:00:00Z"
        assert body["run_id"] == told.run["run_id"]


def test_headers_are_cloudevents_within_one_trace(told: Told) -> None:
    for event in told.events:
        headers = event["headers"]
        assert headers["ce_specversion"] == "1.0"
        assert headers["ce_id"] == event["event_id"]
        assert headers["ce_type"] == event["type"]
        assert headers["ce_source"].startswith("openbell/")
        assert datetime.fromisoformat(headers["ce_time"]).utcoffset() is not None
        assert headers["content-type"] == "application/json"
    parts = [e["headers"]["traceparent"].split("-") for e in told.events]
    assert {len(part) for part in parts} == {4}
    assert len({trace for _, trace, _, _ in parts}) == 1
    assert len({span for _, _, span, _ in parts}) == len(parts)


def test_the_end_has_the_documented_shape_on_the_bus_and_in_rest(told: Told) -> None:
    end = told.of("run.finished")["body"]

    assert end["status"] == told.run["status"] == "succeeded"
    assert end["decision_hash"] == told.run["decision_hash"]
    assert len(end["decision_hash"]) == 64
    assert end["symbols"] == told.run["symbols"]
    assert [s["symbol"] for s in end["symbols"]] == ["TSLA", "NVDA"]
    for symbol in end["symbols"]:
        assert symbol["outcome"] in OUTCOMES
        assert symbol["code"]
        assert symbol["reason"]


def test_each_symbol_is_closed_by_one_order_event_that_says_how_the_run_says(told: Told) -> None:
    for symbol in told.run["symbols"]:
        order = told.of("order.changed", symbol["symbol"])["body"]
        signal = told.of("signal.checked", symbol["symbol"])["body"]

        assert order["closing"]
        assert order["mode"] == "dry_run"
        said = {name: order[name] for name in ("outcome", "code", "reason")}
        assert said == {name: symbol[name] for name in said}
        assert signal["action"] in {"BUY", "SELL", "HOLD"}
        assert signal["checks"]


async def test_the_end_is_on_kafka_once(running: Running, told: Told) -> None:
    (end,) = of_run(await running.records("run.finished"), told.run["run_id"])

    assert json.loads(end.value or b"") == told.of("run.finished")["body"]
    assert end.key == told.run["run_id"].encode()


async def test_the_trace_of_who_asked_goes_on(running: Running) -> None:
    run_id, trace = new_run_id(), "0af7651916cd43dd8448eb211c80319c"
    body = json.dumps({"strategy_id": fresh_strategy(), "run_id": run_id}).encode()
    headers = [("traceparent", f"00-{trace}-b7ad6b7169203331-01".encode())]

    await running.publish("run.requested", body, headers=headers)

    await asyncio.to_thread(running.finished, run_id)
    events = await asyncio.to_thread(running.events, run_id)
    assert {e["headers"]["traceparent"].split("-")[1] for e in events} == {trace}


def test_rest_answers_at_once_and_a_repeat_is_the_same_run(running: Running) -> None:
    fields = {"strategy_id": fresh_strategy(), "run_id": (run_id := new_run_id())}

    with running.http() as http:
        first, again = (http.post("/runs", json=fields) for _ in range(2))

    assert (first.status_code, first.json()) == (202, {"run_id": run_id, "new": True})
    assert (again.status_code, again.json()) == (202, {"run_id": run_id, "new": False})
    run = running.finished(run_id)
    assert {s["outcome"] for s in run["symbols"]} == {"simulated"}
