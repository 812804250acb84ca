"""The command on a recorded run: whole, cut, edited, under way, and shown on a terminal."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli import target, verify
from cli.errors import CommandError, Exit
from tests.unit.cli.recorded_facts import LLM
from tests.unit.cli.recorded_run import RUN, Rows, a_run, chained, changed, messages, rows_of
from tests.unit.cli.verifying import copied, found_in, recorded, verified


def test_a_whole_run_is_identical(tmp_path: Path) -> None:
    assert verified(tmp_path, recorded()) == (0, "identical: 11 events\n")
    assert verified(tmp_path, a_run(LLM)) == (0, "identical: 11 events\n")


def test_programs_are_told_the_same(tmp_path: Path) -> None:
    assert found_in(tmp_path, recorded()) == {
        "run_id": RUN,
        "events": 11,
        "left_out": 0,
        "identical": True,
    }


@pytest.mark.parametrize(
    ("cut_to", "missing"),
    [
        (0, "run.accepted; run.finished"),
        (1, "run.accepted; run.finished"),
        (2, "an outcome of TSLA, NVDA; run.finished"),
        (4, "an outcome of TSLA, NVDA; run.finished"),
        (8, "an outcome of TSLA, NVDA; run.finished"),
        (9, "an outcome of NVDA; run.finished"),
        (10, "run.finished"),
    ],
)
def test_a_run_that_is_not_finished_is_never_identical(
    tmp_path: Path, cut_to: int, missing: str
) -> None:
    code, text = verified(tmp_path, recorded()[:cut_to])

    assert (code, text) == (1, f"the run is not finished: its log lacks {missing}\n")


def test_programs_are_told_what_a_run_lacks(tmp_path: Path) -> None:
    found = found_in(tmp_path, recorded()[:10])

    assert found["difference"]["field"] == "missing"
    assert found["difference"]["recomputed"] == "run.finished"


@pytest.mark.parametrize("topic", ["run.accepted", "run.market-open", "run.broker-ready"])
def test_a_head_that_was_taken_out_is_missed_though_the_chain_is_whole(
    tmp_path: Path, topic: str
) -> None:
    left = chained([row for row in copied() if row["topic"] != topic])

    code, text = verified(tmp_path, left)

    assert (code, text) == (1, f"the run is not told whole: its log lacks {topic}\n")


@pytest.mark.parametrize(
    ("topic", "field"),
    [
        ("evidence.captured", "evidence_hash"),
        ("signal.checked", "signal_hash"),
        ("order.changed", "symbols[0]"),
    ],
)
def test_a_step_of_a_symbol_that_was_taken_out_is_missed(
    tmp_path: Path, topic: str, field: str
) -> None:
    rows = copied()
    rows.remove(next(row for row in rows if row["topic"] == topic))

    assert found_in(tmp_path, chained(rows))["difference"]["field"].startswith(field)


@pytest.mark.parametrize("words", [(), ("--json",)])
@pytest.mark.parametrize(
    "field",
    ["\x1b[2J", "\x9b31m", "\u202e", "\nidentical: 11 events", "\ud800"],
    ids=ascii,
)
def test_what_is_printed_of_a_difference_cannot_steer_a_terminal(
    tmp_path: Path, field: str, words: tuple[str, ...]
) -> None:
    def spoil(body: dict[str, Any]) -> None:
        body["fingerprints"][field] = field

    rows = changed(recorded(), "evidence.captured", spoil)
    rows[0]["body"][field] = field

    code, text = verified(tmp_path, rows, *words)

    assert code == 1
    assert all(c.isprintable() or c == "\n" for c in text)
    assert "\nidentical" not in text


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ("x", "valid list"),
        ([1], "valid dict"),
        ([{}], "0.event_id: Field required"),
        ([{"raw": 1}], "0.event_id: Field required"),
    ],
)
def test_another_file_is_refused_in_one_line(tmp_path: Path, rows: object, why: str) -> None:
    with pytest.raises(CommandError, match=why) as e:
        verified(tmp_path, rows)

    assert e.value.code is Exit.REFUSED
    assert "\n" not in str(e.value)


class BehindApi:
    """An api whose ledger takes in one more event each time it is asked."""

    def __init__(self, rows: Rows, known: int) -> None:
        self.rows, self.known = rows, known

    def event_rows(self, _: str) -> Rows:
        self.known += 1
        return self.rows[: self.known]


def test_a_ledger_that_is_a_moment_behind_the_end_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    records = messages()
    end_first = rows_of([records[0], records[-1], *records[1:-1]])
    monkeypatch.setattr(target, "api", lambda: BehindApi(end_first, 2))
    monkeypatch.setattr(verify, "_LOOK_EVERY_S", 0)

    done = CliRunner().invoke(verify.app, [RUN])

    assert done.stdout == "identical: 11 events\n"


def test_a_run_under_way_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    api = BehindApi(recorded(), 3)
    monkeypatch.setattr(target, "api", lambda: api)

    done = CliRunner().invoke(verify.app, [RUN])

    assert (done.exit_code, api.known) == (1, 4)
    assert done.stdout.startswith("the run is not finished")
