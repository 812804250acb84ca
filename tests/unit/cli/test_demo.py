import json

import pytest

from cli.demo import refuse_other_markets
from cli.demo_run import DemoRun
from cli.demo_text import closing_lines, decided_lines, model_lines, order_words, timings
from cli.errors import CommandError, Exit
from deploy.native.wiring import Wiring
from shared.events.run import Outcome
from shared.events.signal import Action, Proposal
from tests.unit.cli.builders import (
    SYMBOLS,
    a_story,
    a_whole_run,
    accepted,
    captured,
    checked,
    finished,
    ordered,
    plain,
)

HOLD = Proposal(action=Action.HOLD, confidence=0.5, reasons=("the votes disagree",))


def wired(*, simulated: bool = True, model: str | None = None, bundled: bool = True) -> Wiring:
    return Wiring(
        home="/home/of/stack",
        kafka_servers="127.0.0.1:1",
        database_url="",
        llm_url="http://llm.test/v1",
        llm_model=model,
        broker_url="https://broker.test",
        simulated=simulated,
        mlflow_uri="http://127.0.0.1:5500",
        ports={"api-0": 8000} | ({"llm-0": 1} if bundled else {}),
    )


def test_the_demo_market_is_let_through() -> None:
    refuse_other_markets(None, None)
    refuse_other_markets("", wired())


def test_a_broker_in_the_environment_is_refused() -> None:
    with pytest.raises(CommandError, match="expected the demo market") as e:
        refuse_other_markets("https://localhost:5000/v1/api", wired())

    assert e.value.code is Exit.REFUSED


def test_a_stack_with_a_real_broker_is_refused() -> None:
    with pytest.raises(CommandError, match=r"https://broker\.test") as e:
        refuse_other_markets(None, wired(simulated=False))

    assert e.value.code is Exit.REFUSED


def test_the_bundled_model_is_said_to_be_no_adviser() -> None:
    text = plain(model_lines(wired(model="SmolLM2-135M-Instruct")))

    assert "SmolLM2-135M-Instruct, bundled" in text
    assert "no adviser" in text


def test_another_model_is_named_and_not_talked_down() -> None:
    text = plain(model_lines(wired(model="gpt-9", bundled=False)))

    assert text == "model: gpt-9 at http://llm.test/v1"


def test_the_decisions_come_with_hash_and_timings() -> None:
    text = plain(decided_lines(a_story(*a_whole_run())))

    assert text.index("TSLA  simulated") < text.index("NVDA  held") < text.index("decision hash")
    assert "f" * 64 in text
    assert "finish 100 ms; 900 ms without market_open" in text


def test_steps_that_were_not_reached_have_no_timing() -> None:
    assert timings(a_story(accepted())) == "accept 0 ms; 0 ms without market_open"


def test_a_simulated_order_is_named_as_such() -> None:
    words = order_words(a_story(accepted(), checked(), ordered(), checked("NVDA")))

    assert words == "simulated order: TSLA. No order was sent to any broker."


def test_rules_that_do_not_agree_are_said_so_plainly() -> None:
    held = (checked(s, Action.HOLD, proposal=HOLD, call=None) for s in ("TSLA", "NVDA"))

    assert "the votes of the rules do not agree on any symbol" in order_words(
        a_story(accepted(), *held)
    )


def test_an_order_that_was_declined_is_not_blamed_on_the_votes() -> None:
    declined = checked(), ordered("TSLA", Outcome.DECLINED)

    assert "the checks above stand against it" in order_words(a_story(accepted(), *declined))


def test_the_end_says_where_to_look_and_how_to_stop() -> None:
    text = plain(closing_lines([a_story(*a_whole_run())], wired()))

    for words in (
        "./openbell trace run-1",
        "./openbell verify run-1",
        "http://127.0.0.1:8000/docs",
        "http://127.0.0.1:5500",
        "/home/of/stack/logs",
        "./openbell down",
    ):
        assert words in text


@pytest.fixture
def demo_run(monkeypatch: pytest.MonkeyPatch) -> DemoRun:
    monkeypatch.setenv("OPENBELL_API__TOKEN", "token")
    return DemoRun(wired(), 1, SYMBOLS)


def test_a_run_that_has_not_finished_counts_as_failed(demo_run: DemoRun) -> None:
    demo_run.story = a_story(accepted(), captured())

    assert demo_run.failed


@pytest.mark.parametrize(("outcome", "lost"), [(Outcome.FAILED, True), (Outcome.DECLINED, False)])
def test_a_run_fails_with_its_symbols(demo_run: DemoRun, outcome: Outcome, *, lost: bool) -> None:
    demo_run.story = a_story(accepted(), finished(TSLA=Outcome.SIMULATED, NVDA=outcome))

    assert demo_run.failed is lost


def test_the_request_is_the_public_one_with_an_id(demo_run: DemoRun) -> None:
    assert json.loads(demo_run.request) == {
        "strategy_id": 1,
        "symbols": ["TSLA", "NVDA"],
        "dry_run": True,
        "run_id": demo_run.run_id,
    }
