"""What MLflow is told of a run."""

import json
import random
import re
from decimal import Decimal

import pytest

from services.tracker.logged import WHOLE, Logged, logged
from shared.events.run import Outcome
from shared.story import tell
from tests.unit.cli.builders import (
    RUN,
    a_call,
    a_whole_run,
    accepted,
    captured,
    checked,
    failed,
    finished,
    ordered,
)
from tests.unit.cli.recorded_facts import LLM, RULES
from tests.unit.cli.recorded_run import messages
from tests.unit.tracker.histories import a_history, as_kept


def by_symbol(runs: list[Logged]) -> dict[str, Logged]:
    return {run.symbol: run for run in runs}


def half_failed() -> dict[str, Logged]:
    events = (accepted(), captured("TSLA"), checked("TSLA"), ordered("TSLA"), captured("NVDA"))
    end = finished(TSLA=Outcome.SIMULATED, NVDA=Outcome.FAILED)
    return by_symbol(logged(a_history(*events, failed("NVDA", "signal"), end)))


def test_a_run_is_one_run_and_one_child_per_symbol() -> None:
    runs = logged(a_history(*a_whole_run()))

    assert [run.symbol for run in runs] == [WHOLE, "TSLA", "NVDA"]
    assert [run.name for run in runs] == [RUN, "TSLA", "NVDA"]
    assert {run.status for run in runs} == {"FINISHED"}
    assert {run.tags["openbell.run_id"] for run in runs} == {RUN}


def test_a_failed_symbol_fails_its_child_and_the_run_and_no_other() -> None:
    runs = half_failed()

    assert {s: run.status for s, run in runs.items()} == {
        WHOLE: "FAILED",
        "TSLA": "FINISHED",
        "NVDA": "FAILED",
    }
    assert json.loads(runs["NVDA"].files["failure.json"])["code"] == "llm_timeout"
    assert runs["NVDA"].metrics["failure/attempts"] == 2


@pytest.mark.parametrize("outcome", [Outcome.DECLINED, Outcome.EXPIRED, Outcome.CANCELLED])
def test_what_ended_otherwise_did_not_fail(outcome: Outcome) -> None:
    end = finished(TSLA=outcome, NVDA=outcome)

    assert {run.status for run in logged(a_history(accepted(), end))} == {"FINISHED"}


def test_a_run_that_failed_as_a_whole_has_its_children_too() -> None:
    end = finished(TSLA=Outcome.FAILED, NVDA=Outcome.FAILED)

    runs = logged(a_history(accepted(), failed(None, "broker_ready"), end))

    assert [run.status for run in runs] == ["FAILED"] * 3
    assert "failure.json" in by_symbol(runs)["NVDA"].files


def test_params_hold_what_decides() -> None:
    for run in logged(as_kept(messages(LLM))):
        assert run.params["strategy.name"] == "momentum-llm"
        assert run.params["strategy.symbols"] == "TSLA, NVDA"
        assert run.params["limits.max_order_notional"] == "10000"
        assert run.params["prompt_version"].startswith("momentum-v1")
        assert run.params["model"] == "small"
        assert run.params["mode"] == "dry_run"


def test_tags_hold_what_was_decided() -> None:
    child = by_symbol(logged(a_history(*a_whole_run())))["TSLA"]

    assert child.tags["openbell.symbol"] == "TSLA"
    assert child.tags["openbell.action"] == "BUY"
    assert child.tags["openbell.outcome"] == "simulated"
    assert child.tags["openbell.decision_hash"] == "d" * 64


def test_figures_hold_quote_indicators_confidence_tokens_and_latency() -> None:
    whole, child, _ = logged(a_history(*a_whole_run()))

    assert child.metrics["quote/last"] == 217.5
    assert child.metrics["indicator/sma_20"] == 210.25
    assert "indicator/sma_50" not in child.metrics  # too few bars: not known, not zero
    assert child.metrics["signal/confidence"] == 0.8
    assert child.metrics["tokens/prompt"] == 900
    assert child.metrics["latency_s/model"] == 1.2
    assert child.metrics["latency_s/evidence"] == pytest.approx(0.1)
    assert child.metrics["latency_s/signal"] == pytest.approx(0.2)
    assert child.metrics["fill/price"] == 217.51
    assert whole.metrics["tokens/prompt"] == 1800
    assert whole.metrics["outcome/simulated"] == 1
    assert whole.metrics["latency_s/total"] == pytest.approx(1.0)


def test_prompt_and_answer_are_kept_byte_for_byte() -> None:
    call = a_call(request='{"messages":  [1]}', answer="no JSON at all é")
    events = (accepted(), captured(), checked(call=call), ordered())

    end = finished(TSLA=Outcome.SIMULATED, NVDA=Outcome.HELD)
    child = by_symbol(logged(a_history(*events, end)))["TSLA"]

    assert child.files["prompt.json"] == call.request
    assert child.files["answer.txt"] == call.answer
    assert child.call is not None
    assert child.call.call == call


def test_the_files_of_a_symbol_tell_it_from_evidence_to_order() -> None:
    child = by_symbol(logged(as_kept(messages(LLM))))["TSLA"]

    assert set(child.files) == {
        "answer.txt",
        "chart.svg",
        "evidence.json",
        "order.json",
        "prompt.json",
        "signal.json",
        "timeline.json",
    }
    told = [entry["type"] for entry in json.loads(child.files["timeline.json"])]
    assert told[0] == "run.accepted"
    assert told[-1] == "run.finished"
    assert told.count("evidence.captured") == 1


def test_rules_have_neither_prompt_nor_trace() -> None:
    child = by_symbol(logged(as_kept(messages(RULES))))["TSLA"]

    assert child.call is None
    assert "prompt.json" not in child.files
    assert child.params["signal.source"] == "rules"


def test_what_is_left_out_is_said() -> None:
    runs = logged(as_kept(messages(LLM)), "chart and trace: 734 newer runs were waiting")

    for run in runs:
        assert run.tags["openbell.left_out"] == "chart and trace: 734 newer runs were waiting"
        assert run.call is None
        assert "chart.svg" not in run.files
        assert "timeline.json" in run.files


def test_the_same_events_in_another_order_tell_the_same() -> None:
    history = a_history(*a_whole_run())
    shuffled = list(history.entries)

    random.Random(7).shuffle(shuffled)

    assert logged(tell(shuffled)) == logged(history)


def test_texts_are_as_every_server_and_database_takes_them() -> None:
    note = "\x00" + "x" * 600
    context = accepted().context.model_copy(update={"note": note})
    begun = accepted().model_copy(update={"context": context})

    whole = logged(a_history(begun, finished(TSLA=Outcome.HELD, NVDA=Outcome.HELD)))[0]

    assert whole.tags["mlflow.note.content"].startswith("\\x00xxx")
    assert len(whole.tags["mlflow.note.content"]) == 500


def test_names_and_numbers_are_as_mlflow_takes_them() -> None:
    signal = checked().model_copy(update={"confidence": float("inf"), "atr": Decimal(5)})
    events = (accepted(), captured(), signal, ordered())

    end = finished(TSLA=Outcome.SIMULATED, NVDA=Outcome.HELD)
    for run in logged(a_history(*events, end)):
        assert all(re.fullmatch(r"[\w./ -]{1,250}", name) for name in (*run.metrics, *run.params))
        assert all(abs(number) < float("inf") for number in run.metrics.values())
        assert len(run.params) <= 100
        assert len(run.tags) <= 100
