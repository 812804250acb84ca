"""A part of the world that fails, fails or holds its symbol with a code; the others go on."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.outside import cli
from tests.e2e.recording_proxy import Illness, RecordingProxy, Reply, saying
from tests.running import Running, fresh_strategy, until

pytestmark = pytest.mark.timeout(120)

HOLD = '{"action":"HOLD","confidence":0.5,"stop_loss":null,"take_profit":null,"reasons":["calm"]}'
BUY = HOLD.replace("HOLD", "BUY").replace("0.5", "1")
# What the endpoint does, and what becomes of the symbol: outcome and code.
ILLNESSES: dict[str, tuple[Illness, str, str]] = {
    "answers 500": (Reply(b'{"error": {"message": "out of memory"}}', 500), "failed", "llm_error"),
    "answers 401": (Reply(b'{"error": {"message": "no"}}', 401), "failed", "llm_refused"),
    "closes": ("drop", "failed", "llm_unreachable"),
    "shows a page": (Reply(b"<html>Welcome</html>"), "failed", "llm_error"),
    "says nothing": (saying(""), "failed", "llm_empty"),
    "counts no tokens": (Reply(b'{"choices": [{"message": {}}]}'), "failed", "llm_error"),
    "says BUY in prose": (saying("Surely you should BUY now!"), "held", "answer_unreadable"),
    "says more than JSON": (saying(f"BUY! {BUY}"), "held", "answer_unreadable"),
    "says half of it": (saying(HOLD[:40]), "held", "answer_unreadable"),
    "says BUY without levels": (saying(BUY), "held", "levels_check_failed"),
    "fences its JSON": (saying(f"```json\n{HOLD}\n```"), "held", "hold_proposed"),
}
SYMBOLS = ("AAPL", "AMZN", "GOOGL")


def outcomes(run: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {s["symbol"]: (s["outcome"], s["code"]) for s in run["symbols"]}


@pytest.fixture(scope="module", autouse=True)
def hanging(running: Running, model: RecordingProxy) -> Iterator[str]:
    """Let the model hang on NVDA while all else here goes on; give the run."""
    with model.ill(NVDA="hang", TSLA=saying(HOLD)):
        yield running.trigger(strategy_id=1, symbols=["NVDA", "TSLA"])


def test_a_symbol_on_which_the_model_hangs_delays_no_other(running: Running, hanging: str) -> None:
    def look() -> dict[str, Any] | None:
        run = running.run(hanging)
        return run if any(s["outcome"] for s in run["symbols"]) else None

    run = until(look, "the outcome of TSLA")

    assert outcomes(run) == {"NVDA": (None, None), "TSLA": ("held", "hold_proposed")}
    assert run["status"] == "running"


@pytest.mark.parametrize("names", [list(ILLNESSES)[i : i + 3] for i in range(0, 11, 3)], ids=str)
def test_a_sick_model_fails_or_holds_its_symbol(
    running: Running, model: RecordingProxy, names: list[str]
) -> None:
    cases = {symbol: ILLNESSES[name] for symbol, name in zip(SYMBOLS, names, strict=False)}

    with model.ill(**{symbol: illness for symbol, (illness, _, _) in cases.items()}):
        run = running.finished(running.trigger(strategy_id=1, symbols=[*cases, "TSLA"]))

    assert outcomes(run) == {
        symbol: (outcome, code) for symbol, (_, outcome, code) in cases.items()
    } | {"TSLA": ("held", "hold_proposed")}
    for event in running.events(run["run_id"]):
        if event["type"] == "signal.checked":
            assert event["body"]["action"] == "HOLD"
        if event["type"] == "order.changed":
            assert (event["body"]["order"], event["body"]["fill"]) == (None, None)


def test_what_is_the_worlds_is_tried_again_and_what_is_ours_is_not(
    running: Running, model: RecordingProxy
) -> None:
    illnesses = {"AAPL": ILLNESSES["answers 500"][0], "AMZN": ILLNESSES["answers 401"][0]}
    before = {symbol: len(model.about(symbol)) for symbol in illnesses}

    with model.ill(**illnesses):
        run = running.finished(running.trigger(strategy_id=1, symbols=list(illnesses)))

    tried = {symbol: len(model.about(symbol)) - count for symbol, count in before.items()}
    failed = {
        e["symbol"]: e["body"]["attempts"]
        for e in running.events(run["run_id"])
        if e["type"] == "step.failed"
    }
    assert tried == failed == {"AAPL": 2, "AMZN": 1}


def test_a_symbol_that_the_broker_does_not_know_fails_alone(running: Running) -> None:
    run = running.finished(running.trigger(strategy_id=fresh_strategy(), symbols=["ZZZZ", "TSLA"]))

    assert outcomes(run) == {
        "ZZZZ": ("failed", "unknown_symbol"),
        "TSLA": ("simulated", "simulated"),
    }
    assert run["status"] == "failed"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"kind": "crossed_quote"}, "crossed_quote"),
        ({"kind": "stale_updated"}, "stale_quote"),
        ({"kind": "empty_snapshot"}, "no_quote"),
        ({"kind": "html"}, "login_required"),
        ({"kind": "drop"}, "broker_unreachable"),
        ({"kind": "status", "status": 500, "body": "no"}, "broker_unreachable"),
        ({"kind": "hang"}, "timed_out"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_a_broker_that_fails_fails_the_symbol_and_nothing_is_made_up(
    running: Running, fault: dict[str, object], code: str
) -> None:
    with running.fault(**fault, path="marketdata/snapshot"):
        run = running.finished(running.trigger(strategy_id=fresh_strategy(), symbols=["TSLA"]))

    assert outcomes(run) == {"TSLA": ("failed", code)}
    made = {event["type"] for event in running.events(run["run_id"])}
    assert made.isdisjoint({"evidence.captured", "signal.checked", "order.changed"})


def test_the_broker_is_used_again_once_it_is_well(running: Running) -> None:
    run = running.finished(running.trigger(strategy_id=fresh_strategy()))

    assert {outcome for outcome, _ in outcomes(run).values()} == {"simulated"}


def test_paper_is_declined_for_now(running: Running) -> None:
    run = running.finished(running.trigger(strategy_id=fresh_strategy(), mode="paper"))

    assert set(outcomes(run).values()) == {("declined", "mode_unavailable")}


def test_a_halt_stops_orders_until_it_is_lifted(running: Running) -> None:
    strategy = fresh_strategy()
    scope = ("--scope", f"strategy:{strategy}")
    assert cli(running, "halt", *scope, "--why", "a test").returncode == 0
    halted = running.finished(running.trigger(strategy_id=strategy))
    unasked = cli(running, "resume", *scope)
    assert cli(running, "resume", *scope, "--yes").returncode == 0
    resumed = running.finished(running.trigger(strategy_id=strategy))

    assert set(outcomes(halted).values()) == {("declined", "halted")}
    assert all("a test" in symbol["reason"] for symbol in halted["symbols"])
    assert unasked.returncode == 3
    assert {outcome for outcome, _ in outcomes(resumed).values()} == {"simulated"}


def test_a_model_that_hangs_fails_its_symbol_in_the_end(running: Running, hanging: str) -> None:
    run = running.finished(hanging, 80)

    assert outcomes(run) == {"NVDA": ("failed", "llm_timeout"), "TSLA": ("held", "hold_proposed")}
    assert run["status"] == "failed"


def test_a_model_that_is_away_fails_its_symbols_and_rules_go_on(
    running: Running, model: RecordingProxy
) -> None:
    # Those on which nothing is ill here.
    asked = {"strategy_id": 1, "symbols": ["AAPL", "AMZN"]}
    with model.refusing():
        by_model = running.finished(running.trigger(**asked))
        by_rules = running.finished(running.trigger(strategy_id=fresh_strategy()))

    assert set(outcomes(by_model).values()) == {("failed", "llm_unreachable")}
    assert {outcome for outcome, _ in outcomes(by_rules).values()} == {"simulated"}
    assert running.finished(running.trigger(**asked), 80)["status"] == "succeeded"
