"""Bad input is refused with a reason that reaches who asked, and stops nothing else."""

import asyncio
import base64
import json
from typing import Any

import pytest
from aiokafka.producer import message_accumulator, producer
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy as PythonBuilder

from tests.e2e.outside import answer_on, cli, letter_about
from tests.running import STAGES, Running, fresh_strategy, new_run_id

REFUSED = {
    "no_symbols": {"strategy_id": 1, "symbols": []},
    "duplicate_symbols": {"strategy_id": 1, "symbols": ["TSLA", "tsla"]},
    "invalid_symbol": {"strategy_id": 1, "symbols": ["TS\u0000LA"]},
    "too_many_symbols": {"strategy_id": 1, "symbols": [f"S{n}" for n in range(10_000)]},
    "unknown_strategy": {"strategy_id": 99},
    "unknown_field": {"strategy_id": 1, "symbol": "TSLA"},
    "invalid_field": {"strategy_id": 1, "dry_run": "yes"},
    "conflicting_mode": {"strategy_id": 1, "dry_run": True, "mode": "live"},
}
WRONG_TYPES = [
    {"strategy_id": None},
    {"strategy_id": True},
    {"strategy_id": 1.5},
    {"strategy_id": 1, "symbols": "TSLA"},
    {"strategy_id": 1, "symbols": [1]},
    {"strategy_id": 1, "run_id": "../../etc"},
    {"strategy_id": 1, "deadline": "tomorrow"},
    {"strategy_id": 1, "mode": "yolo"},
    {},
]
UNREADABLE = {
    "not_json": b"run TSLA, please",
    "empty_body": b"",
    "wrong_encoding": '{"strategy_id": 1}'.encode("utf-16"),
    "not_an_object": b"[1, 2]",
}
# Who reads each topic within, and what is left of it when nobody can.
INTERNAL = {
    "run.accepted": "clock",
    "run.market-open": "gateway",
    "run.broker-ready": "marketdata",
    "evidence.captured": "signals",
    "signal.checked": "execution",
    "order.changed": "api",
    "step.failed": "api",
}


class RawName(str):
    """A header name as clients in Go or C may write it."""

    __slots__ = ()

    def encode(self, *_: object) -> bytes:
        return b"\xff\xfe"


def processes(running: Running) -> dict[str, tuple[int | None, int]]:
    return {name: (p.pid, p.restarts) for name in STAGES for p in [running.stack.part(name)]}


@pytest.fixture(scope="module", autouse=True)
def before(running: Running) -> dict[str, tuple[int | None, int]]:
    """Note who runs before any of this."""
    return processes(running)


@pytest.mark.parametrize("code", REFUSED)
async def test_a_refused_request_on_the_bus_is_answered_with_code_and_reason(
    running: Running, code: str
) -> None:
    place = await running.publish("run.requested", json.dumps(REFUSED[code]).encode())

    answer = await answer_on(running, "run.rejected", lambda a: a["source"] == place)

    assert answer["code"] == code
    assert answer["reason"]
    assert answer["run_id"]
    assert answer["occurred_at"]
    assert answer["market_time"]


@pytest.mark.parametrize("code", REFUSED)
def test_a_refused_request_over_rest_is_a_problem_with_code_and_reason(
    running: Running, code: str
) -> None:
    with running.http() as http:
        answer = http.post("/runs", json=REFUSED[code])

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == code
    assert answer.json()["detail"]


@pytest.mark.parametrize("fields", WRONG_TYPES, ids=json.dumps)
def test_a_field_of_the_wrong_type_is_named(running: Running, fields: dict[str, Any]) -> None:
    with running.http() as http:
        answer = http.post("/runs", json=fields)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_field")
    assert (list(fields) or ["strategy_id"])[-1] in answer.json()["detail"]


@pytest.mark.parametrize("code", UNREADABLE)
async def test_what_nobody_can_read_is_a_dead_letter_with_its_raw_bytes(
    running: Running, code: str
) -> None:
    raw = UNREADABLE[code]
    place = await running.publish("run.requested", raw, key=b"\x00\xff", headers=[("x", b"\xfe")])

    letter = await letter_about(running, place)

    assert (letter["code"], letter["service"]) == (code, "api")
    assert letter["reason"].startswith("expected ")
    assert base64.b64decode(letter["raw_body"]) == raw
    assert base64.b64decode(letter["raw_key"]) == b"\x00\xff"
    assert letter["raw_headers"] == [["x", "\\xfe"]]


@pytest.mark.parametrize(
    ("raw", "status"),
    [(UNREADABLE[code], 400) for code in UNREADABLE] + [(b" " * 300_000, 413)],
    ids=[*UNREADABLE, "too_large"],
)
def test_what_nobody_can_read_is_a_problem_over_rest(
    running: Running, raw: bytes, status: int
) -> None:
    with running.http() as http:
        answer = http.post("/runs", content=raw)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].startswith("expected ")


async def test_the_largest_message_that_kafka_takes_is_a_dead_letter_too(running: Running) -> None:
    raw = b"\x00" * 1_048_000
    place = await running.publish("run.requested", raw)

    letter = await letter_about(running, place)

    assert base64.b64decode(letter["raw_body"]) == raw


async def test_a_message_that_was_larger_before_compression_keeps_its_beginning(
    running: Running,
) -> None:
    raw = b"\x00" * 1_900_000
    place = await running.publish("run.requested", raw, compression="gzip")

    letter = await letter_about(running, place)

    kept = base64.b64decode(letter["raw_body"])
    assert raw.startswith(kept)
    assert f"the first {len(kept)} of 1900000 bytes" in letter["reason"]


def test_a_message_too_large_for_kafka_is_refused_in_one_line(running: Running) -> None:
    done = cli(running, "publish", "run.requested", "-", stdin=b"x" * 1_100_000)

    assert done.returncode == 3
    (line,) = done.stderr.decode().splitlines()
    assert "found 1100000 bytes" in line


async def test_binary_headers_and_a_binary_key_do_no_harm(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = new_run_id()
    body = json.dumps({"strategy_id": fresh_strategy(), "run_id": run_id}).encode()
    headers: list[tuple[str, bytes | None]] = [("traceparent", b"\xff"), ("ce_id", b"\x00")]
    headers += [("x", b"\xff\x00\xfe"), ("x", None), ("\x00", b""), (RawName("name"), b"")]
    # The fast builder insists on text; what goes out is the same for good names.
    for module in (message_accumulator, producer):
        monkeypatch.setattr(module, "DefaultRecordBatchBuilder", PythonBuilder)

    await running.publish("run.requested", body, headers=headers, key=b"\x00\xff")

    run = await asyncio.to_thread(running.finished, run_id)
    assert run["status"] == "succeeded"


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_a_request_of_any_compression_is_read(running: Running, codec: str) -> None:
    run_id = new_run_id()
    body = json.dumps({"strategy_id": fresh_strategy(), "run_id": run_id, "note": "n" * 500})

    await running.publish("run.requested", body.encode(), compression=codec)

    run = await asyncio.to_thread(running.finished, run_id)
    assert run["status"] == "succeeded"


async def test_a_reused_run_id_is_a_dead_letter_and_its_run_is_untouched(running: Running) -> None:
    strategy, run_id = fresh_strategy(), new_run_id()
    await asyncio.to_thread(running.trigger, strategy_id=strategy, run_id=run_id)
    first = await asyncio.to_thread(running.finished, run_id)
    other = {"strategy_id": strategy, "run_id": run_id, "symbols": ["AAPL"]}

    place = await running.publish("run.requested", json.dumps(other).encode(), key=run_id.encode())
    with running.http() as http:
        answer = http.post("/runs", json=other)

    letter = await letter_about(running, place)
    assert (letter["code"], letter["run_id"]) == ("run_id_reused", run_id)
    assert (answer.status_code, answer.json()["code"]) == (409, "run_id_reused")
    assert running.run(run_id) == first


@pytest.mark.parametrize("raw", [b"garbage", b"{}"], ids=["garbage", "another object"])
@pytest.mark.parametrize("topic", INTERNAL)
async def test_poison_on_a_topic_within_is_a_dead_letter(
    running: Running, topic: str, raw: bytes
) -> None:
    place = await running.publish(topic, raw)

    letter = await letter_about(running, place)

    assert letter["service"] == INTERNAL[topic]
    assert letter["code"] == ("not_json" if raw == b"garbage" else "not_the_event")
    assert base64.b64decode(letter["raw_body"]) == raw


async def test_poison_whose_key_names_a_run_fails_its_step(running: Running) -> None:
    run_id = new_run_id()

    await running.publish("evidence.captured", b"garbage", key=f"{run_id}:TSLA".encode())

    failed = await answer_on(running, "step.failed", lambda f: f.get("run_id") == run_id)
    assert (failed["symbol"], failed["step"], failed["code"]) == ("TSLA", "signal", "not_json")


def test_after_all_this_the_next_run_works_and_nothing_was_restarted(
    running: Running, before: dict[str, tuple[int | None, int]]
) -> None:
    run_id = running.trigger(strategy_id=fresh_strategy())

    run = running.finished(run_id)

    assert [s["outcome"] for s in run["symbols"]] == ["simulated", "simulated"]
    # The ledger went on too.
    assert "run.finished" in {event["type"] for event in running.events(run_id)}
    assert processes(running) == before
