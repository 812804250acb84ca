"""The main job through every service, from outside."""

import asyncio
import json

import httpx
import pytest

from tests.running import Running, fresh_strategy, new_run_id, until_async

STEPS = [
    "run.accepted",
    "run.market-open",
    "run.broker-ready",
    "evidence.captured",
    "signal.checked",
    "order.changed",
    "run.finished",
]


async def dead_letter_of(running: Running, what: str) -> dict[str, str]:
    async def look() -> dict[str, str] | None:
        found = [json.loads(r.value) for r in await running.records("dead.letter")]
        return next((letter for letter in found if what in letter["reason"]), None)

    found: dict[str, str] = await until_async(look, f"a dead letter about {what}")
    return found


@pytest.mark.timeout(90)
async def test_the_public_request_goes_through_every_step_and_asks_the_real_model(
    running: Running,
) -> None:
    before = tokens_of(running)
    run_id = new_run_id()
    body = {"strategy_id": 1, "symbols": ["TSLA", "NVDA"], "dry_run": True, "run_id": run_id}

    await running.publish("run.requested", json.dumps(body).encode())

    run = await asyncio.to_thread(running.finished, run_id, 80)
    events = running.events(run_id)
    calls = [e["body"]["call"] for e in events if e["type"] == "signal.checked"]
    assert {s["outcome"] for s in run["symbols"]} <= {"held", "declined", "simulated"}
    assert all(s["code"] and s["reason"] for s in run["symbols"])
    assert [s["symbol"] for s in run["symbols"]] == ["TSLA", "NVDA"]
    assert list(dict.fromkeys(e["type"] for e in events if e["type"] in STEPS)) == STEPS
    assert len({e["headers"]["traceparent"].split("-")[1] for e in events[1:]}) == 1
    assert all(e["body"]["occurred_at"] and e["body"]["market_time"] for e in events[1:])
    assert len(calls) == 2
    assert all(c["prompt_tokens"] > 0 and c["completion_tokens"] > 0 for c in calls)
    # The endpoint's own count rose by what both symbols asked, no more and no less.
    assert tokens_of(running) - before == sum(c["prompt_tokens"] for c in calls)


def tokens_of(running: Running) -> int:
    url = running.stack.config()["llm"]["base_url"].removesuffix("/v1")
    lines = httpx.get(f"{url}/metrics").text.splitlines()
    return int(
        next(
            float(line.split()[1])
            for line in lines
            if line.startswith("llamacpp:prompt_tokens_total ")
        )
    )


def test_rest_answers_at_once_and_a_repeat_is_the_same_run(running: Running) -> None:
    fields = {"strategy_id": fresh_strategy(), "run_id": (run_id := new_run_id())}

    with running.http() as http:
        first, again = (http.post("/runs", json=fields) for _ in range(2))
        other = http.post("/runs", json=fields | {"symbols": ["AAPL"]})

    assert (first.status_code, first.json()["new"]) == (202, True)
    assert (again.status_code, again.json()["new"]) == (202, False)
    assert (other.status_code, other.json()["code"]) == (409, "run_id_reused")
    assert running.finished(run_id)["status"] == "succeeded"


def test_a_symbol_that_the_broker_does_not_know_fails_alone(running: Running) -> None:
    run = running.finished(running.trigger(strategy_id=fresh_strategy(), symbols=["TSLA", "ZZZZ"]))

    assert [(s["symbol"], s["outcome"]) for s in run["symbols"]] == [
        ("TSLA", "simulated"),
        ("ZZZZ", "failed"),
    ]
    assert run["symbols"][1]["code"] == "unknown_symbol"
    assert run["status"] == "failed"


def test_paper_is_declined_and_a_halt_stops_orders(running: Running) -> None:
    strategy = fresh_strategy()
    paper = running.finished(running.trigger(strategy_id=strategy, mode="paper"))
    scope = {"scope": f"strategy:{strategy}"}
    with running.http() as http:
        http.post("/control/halt", json=scope).raise_for_status()
        halted = running.finished(running.trigger(strategy_id=strategy))
        http.post("/control/resume", json=scope).raise_for_status()
        resumed = running.finished(running.trigger(strategy_id=strategy))

    assert {s["code"] for s in paper["symbols"]} == {"mode_unavailable"}
    assert {(s["outcome"], s["code"]) for s in halted["symbols"]} == {("declined", "halted")}
    assert {s["outcome"] for s in resumed["symbols"]} == {"simulated"}


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "crossed_quote", "path": "marketdata/snapshot"}, "crossed_quote"),
        ({"kind": "html", "path": "marketdata/snapshot"}, "login_required"),
        ({"kind": "status", "path": "marketdata/snapshot", "status": 500, "body": "{}"}, None),
    ],
    ids=lambda v: str(v.get("kind")) if isinstance(v, dict) else "",
)
def test_a_broker_that_fails_fails_the_symbol_and_nothing_is_made_up(
    running: Running, fault: dict[str, object], code: str | None
) -> None:
    with running.fault(**fault):
        run = running.finished(running.trigger(strategy_id=fresh_strategy(), symbols=["TSLA"]))

    assert run["symbols"][0]["outcome"] == "failed"
    assert code in {None, run["symbols"][0]["code"]}
    assert [e for e in running.events(run["run_id"]) if e["type"] == "signal.checked"] == []


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (b'{"strategy_id": 1, "symbols": []}', "no_symbols"),
        (b'{"strategy_id": 1, "symbols": ["TSLA", "TSLA"]}', "duplicate_symbols"),
        (b'{"strategy_id": 99}', "unknown_strategy"),
        (b'{"strategy_id": 1, "surprise": 1}', "unknown_field"),
        (b'{"strategy_id": 1, "dry_run": "yes"}', "invalid_field"),
        (b'{"strategy_id": 1, "dry_run": true, "mode": "live"}', "conflicting_mode"),
        (
            json.dumps({"strategy_id": 1, "symbols": [f"S{n}" for n in range(10_000)]}).encode(),
            "too_many_symbols",
        ),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
async def test_a_bad_request_on_the_bus_is_answered_with_a_reason(
    running: Running, value: bytes, code: str
) -> None:
    before = len(await running.records("run.rejected"))

    await running.publish("run.requested", value)

    async def look() -> dict[str, str] | None:
        new = [json.loads(r.value) for r in (await running.records("run.rejected"))[before:]]
        return next((answer for answer in new if answer["code"] == code), None)

    answer = await until_async(look, f"a refusal {code}")
    assert answer["reason"]
    assert answer["run_id"]


@pytest.mark.parametrize(
    ("value", "what"),
    [
        (b"not json at all", "expected a JSON object, found: Expecting"),
        (b"", "no body"),
        (b"\xff\xfe\x00", "expected UTF-8"),
        (b"[1, 2]", "found list"),
    ],
    ids=["not json", "empty", "another encoding", "a list"],
)
async def test_what_nobody_can_read_is_a_dead_letter(
    running: Running, value: bytes, what: str
) -> None:
    await running.publish("run.requested", value)

    letter = await dead_letter_of(running, what)

    assert letter["topic"] == "run.requested"
    assert letter["service"] == "api"


async def test_binary_headers_do_no_harm(running: Running) -> None:
    run_id = new_run_id()
    body = json.dumps({"strategy_id": fresh_strategy(), "run_id": run_id}).encode()

    await running.publish("run.requested", body, headers=[("x", b"\xff\x00\xfe")])

    run = await asyncio.to_thread(running.finished, run_id)
    assert run["status"] == "succeeded"


def test_without_the_token_there_is_nothing_but_health_and_docs(running: Running) -> None:
    answers = {
        path: httpx.get(f"{running.api_url}{path}").status_code
        for path in ("/runs", "/market", "/health/ready", "/metrics", "/docs", "/openapi.json")
    }

    assert answers.pop("/runs") == 401
    assert answers.pop("/market") == 401
    assert set(answers.values()) == {200}
    with running.http() as http:
        assert http.get("/market").status_code == 200
