"""A run told again from its log: identical, or exactly the field that was changed."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import talib

from cli.chain import broken_link
from cli.retell import Difference, retell
from services.signals import prompt
from tests.running import ROOT, Running, fresh_strategy

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def rules_run(running: Running) -> Rows:
    return running.events(running.finished(running.trigger(strategy_id=fresh_strategy()))["run_id"])


@pytest.fixture(scope="module")
def model_run(running: Running) -> Rows:
    run_id = running.trigger(strategy_id=1, symbols=["TSLA"])
    return running.events(running.finished(run_id, 60)["run_id"])


def told(rows: Rows) -> Difference | None:
    return retell([(row["type"], row["raw"]) for row in rows]) or broken_link(rows)


def changed(rows: Rows, kind: str, path: list[str | int], value: object) -> Rows:
    """Return a copy of a log in which one field of the first event of a kind is another."""
    copy = json.loads(json.dumps(rows))
    row = next(row for row in copy if row["type"] == kind)
    body = json.loads(row["raw"])
    at = body
    for step in path[:-1]:
        at = at[step]
    assert at[path[-1]] != value
    at[path[-1]] = value
    row["raw"] = json.dumps(body, separators=(",", ":"))
    return copy  # type: ignore[no-any-return]  # as it came


def test_an_untouched_run_is_identical(rules_run: Rows, model_run: Rows) -> None:
    assert told(rules_run) is None
    assert told(model_run) is None


@pytest.mark.parametrize(
    ("kind", "path", "value", "field"),
    [
        ("evidence.captured", ["evidence", "bars", 200, "close"], "1.23", "evidence.bars."),
        ("evidence.captured", ["evidence", "quote", "last"], "1.23", "evidence.quote.last"),
        ("evidence.captured", ["evidence", "indicators", "atr_14"], "1", "evidence.indicators.atr"),
        ("signal.checked", ["reason"], "because", "reason"),
        ("signal.checked", ["checks", 0, "found"], "luck", "checks[0].found"),
        ("order.changed", ["order", "quantity"], "7", "order.quantity"),
        ("order.changed", ["fill", "price"], "7", "fill.price"),
        ("run.finished", ["decision_hash"], "0" * 64, "decision_hash"),
    ],
    ids=lambda v: v if isinstance(v, str) and "." in v else "",
)
def test_what_was_changed_in_the_log_is_named(
    rules_run: Rows, kind: str, path: list[str | int], value: object, field: str
) -> None:
    found = told(changed(rules_run, kind, path, value))

    assert found is not None
    assert found.event.startswith(kind)
    assert found.field.startswith(field)


def test_a_bar_is_named_by_its_date(rules_run: Rows) -> None:
    body = next(row["body"] for row in rules_run if row["type"] == "evidence.captured")
    day = body["evidence"]["bars"][200]["date"]

    path: list[str | int] = ["evidence", "bars", 200, "close"]
    found = told(changed(rules_run, "evidence.captured", path, "1.23"))

    assert found is not None
    assert found.field == f"evidence.bars.{day}"


def test_another_answer_of_the_model_is_noticed(model_run: Rows) -> None:
    answer = '{"action":"BUY","confidence":1,"stop_loss":null,"take_profit":null,"reasons":["x"]}'

    found = told(changed(model_run, "signal.checked", ["call", "answer"], answer))

    assert found is not None
    assert found.event == "signal.checked TSLA"


def test_one_word_of_the_template_is_named(
    model_run: Rows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = next((ROOT / "services/signals/prompts").glob("*.yaml"))
    (tmp_path / source.name).write_text(
        source.read_text().replace("trading analyst", "trading oracle")
    )
    monkeypatch.setattr(prompt, "_TEMPLATES", tmp_path)
    prompt._template.cache_clear()

    found = told(model_run)

    prompt._template.cache_clear()
    assert found is not None
    assert found.field == "call.request.messages[0].content"
    assert "oracle" in found.recomputed


def test_an_average_over_21_days_is_named(rules_run: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    original = talib.SMA
    monkeypatch.setattr(
        talib, "SMA", lambda x, n: original(x, 21 if n == 20 and len(x) > 249 else n)
    )

    found = told(rules_run)

    assert found is not None
    assert found.field == "evidence.indicators.sma_20"


def test_a_broken_chain_is_named(rules_run: Rows) -> None:
    copy = json.loads(json.dumps(rules_run))
    copy[1]["offset"] += 1

    found = told(copy)

    assert found is not None
    assert found.field == "hash"


async def test_it_needs_no_table_but_the_ledger(running: Running, rules_run: Rows) -> None:
    run_id = next(row["body"]["run_id"] for row in rules_run)
    schemas = ("api", "clock", "gateway", "marketdata", "signals", "execution")
    async with running.db() as db:
        try:
            for schema in schemas:
                await db.execute(f"ALTER SCHEMA {schema} RENAME TO {schema}_away")
            answer = await asyncio.to_thread(
                subprocess.run,
                [sys.executable, "-m", "cli.main", "verify", run_id],
                env=running.cli_env(),
                cwd=ROOT,
                capture_output=True,
                text=True,
                check=False,
            )
        finally:
            for schema in schemas:
                await db.execute(f"ALTER SCHEMA {schema}_away RENAME TO {schema}")

    assert answer.returncode == 0, answer.stderr
    assert answer.stdout.startswith("identical")
