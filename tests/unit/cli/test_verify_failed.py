"""A run of which something failed is told whole without what could not come any more."""

import json
from pathlib import Path

import pytest

from services.api.closing import decision_hash_of, outcome_of_failure, outcome_of_order, status_of
from shared.envelope import Message, encode
from shared.events.order import OrderChanged
from shared.events.run import RunFinished, StepFailed
from tests.unit.cli.recorded_run import RUN, STAMP, chained, messages, rows_of
from tests.unit.cli.verifying import found_in, verified

HEADS = ["run.requested", "run.accepted", "run.market-open", "run.broker-ready"]


def failed(step: str, symbol: str | None) -> StepFailed:
    return StepFailed(
        **STAMP, run_id=RUN, symbol=symbol, step=step, code="timed_out", reason="no answer"
    )


def end_of(failure: StepFailed, *orders: OrderChanged) -> Message:
    done = [outcome for order in orders if (outcome := outcome_of_order(order)) is not None]
    open_symbols = [s for s in ("TSLA", "NVDA") if s not in {o.symbol for o in done}]
    told = tuple(done + [outcome_of_failure(failure, symbol) for symbol in open_symbols])
    end = RunFinished(
        **STAMP,
        run_id=RUN,
        status=status_of(told),
        decision_hash=decision_hash_of(told),
        symbols=told,
    )
    return encode(end, source="api")


@pytest.mark.parametrize(("step", "heads"), [("market_open", 2), ("broker_ready", 3)])
def test_a_run_that_failed_as_a_whole_is_identical(tmp_path: Path, step: str, heads: int) -> None:
    failure = failed(step, None)
    records = [m for m in messages() if m.topic in HEADS[:heads]]

    rows = rows_of([*records, encode(failure, source="clock"), end_of(failure)])

    assert verified(tmp_path, rows) == (0, f"identical: {heads + 2} events\n")


@pytest.mark.parametrize(
    ("step", "left"),
    [("evidence", []), ("signal", ["evidence.captured"])],
)
def test_a_run_that_failed_for_one_symbol_is_identical(
    tmp_path: Path, step: str, left: list[str]
) -> None:
    failure = failed(step, "NVDA")
    records = [
        m for m in messages()[:-1] if json.loads(m.body).get("symbol") != "NVDA" or m.topic in left
    ]
    order = OrderChanged.model_validate_json(records[-1].body)

    rows = rows_of([*records, encode(failure, source="signals"), end_of(failure, order)])

    assert found_in(tmp_path, rows)["identical"]
    without_failure = chained([row for row in rows if row["topic"] != "step.failed"])
    assert found_in(tmp_path, without_failure)["difference"]["field"].startswith("symbols[1]")
