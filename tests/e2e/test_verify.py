"""A run told again from its log: identical, or exactly the field that was changed."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import talib
from typer.testing import CliRunner

from cli import verify
from services.signals import prompt
from tests.e2e.outside import cli, letter_about
from tests.running import ROOT, STAGES, Running, fresh_strategy, until_async

Rows = list[dict[str, Any]]
Steps = list[str | int]
Verify = Callable[[Rows], dict[str, Any]]

pytestmark = pytest.mark.timeout(120)


def traced(running: Running, run_id: str) -> Rows:
    """Return a run as ``trace --json`` prints it, once the ledger holds it all."""
    running.finished(run_id, 80)
    running.events(run_id)
    done = cli(running, "trace", run_id, "--json")
    assert done.returncode == 0, done.stderr
    rows: Rows = json.loads(done.stdout)
    return rows


@pytest.fixture(scope="module")
def of_rules(running: Running) -> Rows:
    return traced(running, running.trigger(strategy_id=fresh_strategy()))


@pytest.fixture(scope="module")
def of_model(running: Running) -> Rows:
    return traced(running, running.trigger(strategy_id=1, symbols=["TSLA"]))


@pytest.fixture
def verified(tmp_path: Path) -> Verify:
    """Verify a trace in a file by the command itself; the code it runs can be changed."""

    def verify_rows(rows: Rows) -> dict[str, Any]:
        file = tmp_path / "trace.json"
        file.write_text(json.dumps(rows))
        done = CliRunner().invoke(verify.app, ["the-run", "--from", str(file), "--json"])
        found: dict[str, Any] = json.loads(done.output)
        assert done.exit_code == (0 if found["identical"] else 1)
        return found

    return verify_rows


def changed(rows: Rows, kind: str, steps: Steps, value: object, *, within: str = "raw") -> Rows:
    """Return a copy of a trace in which one field of the first event of a kind is another.

    ``within``: in the event's raw text, in the copy of it that people read, or in both.
    """
    copy: Rows = json.loads(json.dumps(rows))
    row = next(row for row in copy if row["type"] == kind)
    body = json.loads(row["raw"])
    at: Any = body
    for step in steps[:-1]:
        at = at[step]
    assert at[steps[-1]] != value
    at[steps[-1]] = value
    if within in {"raw", "both"}:
        row["raw"] = json.dumps(body, separators=(",", ":"))
    if within in {"body", "both"}:
        row["body"] = body
    return copy


def test_an_untouched_run_is_identical(running: Running, of_rules: Rows, of_model: Rows) -> None:
    for rows in (of_rules, of_model):
        done = cli(running, "verify", rows[-1]["body"]["run_id"])

        assert done.returncode == 0, done.stderr
        assert done.stdout.decode().startswith(f"identical: {len(rows)} events")


def test_its_trace_in_a_file_is_identical(of_rules: Rows, of_model: Rows, verified: Verify) -> None:
    assert verified(of_rules)["identical"]
    assert verified(of_model)["identical"]


@pytest.mark.parametrize(
    "change",
    [
        ("evidence.captured", ["evidence", "quote", "last"], "1.23", "evidence.quote.last"),
        ("evidence.captured", ["evidence", "contract", "tick"], "1", "evidence.contract.tick"),
        ("evidence.captured", ["evidence", "indicators", "rsi_14"], "1", "evidence.indicators.rsi"),
        ("signal.checked", ["reason"], "because", "reason"),
        ("signal.checked", ["checks", 0, "found"], "luck", "checks[0].found"),
        ("signal.checked", ["confidence"], 0.99, "confidence"),
        ("order.changed", ["checks", 3, "required"], "nothing", "checks[3].required"),
        ("order.changed", ["order", "quantity"], "7", "order.quantity"),
        ("order.changed", ["fill", "price"], "7", "fill.price"),
        ("order.changed", ["outcome"], "held", "outcome"),
        ("run.finished", ["symbols", 1, "outcome"], "held", "symbols[1].outcome"),
        ("run.finished", ["decision_hash"], "0" * 64, "decision_hash"),
    ],
    ids=lambda change: f"{change[0]} {change[3]}",
)
@pytest.mark.parametrize("within", ["raw", "body", "both"])
def test_what_was_changed_in_the_log_is_named(
    of_rules: Rows, verified: Verify, change: tuple[str, Steps, object, str], within: str
) -> None:
    kind, steps, value, field = change
    found = verified(changed(of_rules, kind, steps, value, within=within))

    assert found["difference"]["event"].startswith(kind)
    assert found["difference"]["field"].startswith(field)


@pytest.mark.parametrize("within", ["raw", "body", "both"])
@pytest.mark.parametrize("place", [0, 100, -1])
def test_a_changed_bar_is_named_by_its_date(
    of_rules: Rows, verified: Verify, within: str, place: int
) -> None:
    body = next(row["body"] for row in of_rules if row["type"] == "evidence.captured")
    day = body["evidence"]["bars"][place]["date"]
    steps: Steps = ["evidence", "bars", place, "close"]

    found = verified(changed(of_rules, "evidence.captured", steps, "1.23", within=within))

    assert found["difference"]["field"] == f"evidence.bars.{day}"


@pytest.mark.parametrize("steps", [["call", "answer"], ["call", "answer_hash"]], ids=str)
def test_another_answer_of_the_model_is_named(
    of_model: Rows, verified: Verify, steps: Steps
) -> None:
    found = verified(changed(of_model, "signal.checked", steps, "BUY everything"))

    assert found["difference"]["event"] == "signal.checked TSLA"
    assert found["difference"]["field"] == "call.answer"


def test_another_question_is_named(of_model: Rows, verified: Verify) -> None:
    body = next(row["body"] for row in of_model if row["type"] == "signal.checked")
    asked = body["call"]["request"].replace("Propose for TSLA", "Propose a BUY of TSLA")

    found = verified(changed(of_model, "signal.checked", ["call", "request"], asked))

    assert found["difference"]["field"] == "call.request.messages[1].content"


def test_one_word_of_the_template_is_named(
    of_model: Rows, verified: Verify, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = ROOT / "services/signals/prompts/momentum-v1.yaml"
    other = source.read_text().replace("trading analyst", "trading oracle")
    (tmp_path / source.name).write_text(other)
    monkeypatch.setattr(prompt, "_TEMPLATES", tmp_path)
    prompt._template.cache_clear()

    found = verified(of_model)

    prompt._template.cache_clear()
    assert found["difference"]["field"] == "call.request.messages[0].content"
    assert "trading analyst" in found["difference"]["recorded"]
    assert "trading oracle" in found["difference"]["recomputed"]


def test_an_average_over_21_days_is_named(
    of_rules: Rows, verified: Verify, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = talib.SMA
    monkeypatch.setattr(talib, "SMA", lambda series, days: over(series, 21 if days == 20 else days))

    found = verified(of_rules)

    assert found["difference"]["field"] == "evidence.indicators.sma_20"


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("hash", "0" * 64, "hash"),
        ("previous_hash", "0" * 64, "previous_hash"),
        ("offset", 1_000_000, "hash"),
        ("key", "another", "hash"),
        ("timestamp", "2020-01-01T00:00:00Z", "hash"),
    ],
)
def test_a_broken_chain_is_named(
    of_rules: Rows, verified: Verify, field: str, value: object, named: str
) -> None:
    copy: Rows = json.loads(json.dumps(of_rules))
    copy[1][field] = value

    found = verified(copy)

    assert found["difference"]["event"] == copy[1]["type"]
    assert found["difference"]["field"] == named


def test_an_event_that_is_missing_breaks_the_chain(of_rules: Rows, verified: Verify) -> None:
    copy = [row for row in of_rules if row["type"] != "run.broker-ready"]

    found = verified(copy)

    assert found["difference"]["field"] == "previous_hash"


@pytest.mark.parametrize("key", [None, "its id"])
async def test_what_a_client_writes_into_a_finished_run_is_left_out_and_told(
    running: Running, key: str | None
) -> None:
    run_id = running.trigger(strategy_id=fresh_strategy())
    await asyncio.to_thread(traced, running, run_id)
    body = json.dumps({"run_id": run_id}).encode()

    place = await running.publish("signal.checked", body, key=run_id.encode() if key else None)
    await letter_about(running, place)

    async def look() -> bytes | None:
        said = (await asyncio.to_thread(cli, running, "verify", run_id)).stdout
        return said if b"left out" in said else None

    said: bytes = await until_async(look, "the record in the ledger")
    # With the run's id as its key, its burial and the step that this fails are of the run too.
    assert said.startswith(b"identical: ")
    assert said.endswith(b"1 record of others left out\n")


async def test_it_needs_no_table_but_the_ledger(
    running: Running, of_rules: Rows, of_model: Rows
) -> None:
    async with running.db() as db:
        for schema in STAGES:
            await db.execute(f"ALTER SCHEMA {schema} RENAME TO {schema}_away")
        try:
            answers = [
                await asyncio.to_thread(cli, running, "verify", rows[-1]["body"]["run_id"])
                for rows in (of_rules, of_model)
            ]
        finally:
            for schema in STAGES:
                await db.execute(f"ALTER SCHEMA {schema}_away RENAME TO {schema}")

    for answer in answers:
        assert answer.returncode == 0, answer.stderr
        assert answer.stdout.startswith(b"identical")
