import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.signals.answer import read
from services.signals.decide import Decided, decide
from services.signals.rules import vote
from shared.events.signal import Action, ModelCall
from tests.unit.signals.builders import (
    a_buy,
    a_call,
    a_hold,
    a_strategy,
    captured,
    evidence,
    indicators,
    rules_strategy,
    unknown_indicators,
)


def answer(**changes: Any) -> str:
    fields = {
        "reasons": ["SMA 20 98.00 is above SMA 50 95.00"],
        "action": "BUY",
        "confidence": 0.8,
        "stop_loss": 97.0,
        "take_profit": 106.0,
    }
    return json.dumps({**fields, **changes})


def decided(call: ModelCall, **changes: Any) -> Decided:
    return decide(captured(**changes), read(call.answer), call)


def test_a_proposal_that_passes_every_check_is_the_signal() -> None:
    found = decided(a_call(answer()))

    assert (found.action, found.confidence, found.code) == (Action.BUY, 0.8, "checks_passed")
    assert found.source == "llm"
    assert found.reason == f"BUY: all {len(found.checks)} checks passed"


def test_one_failed_check_makes_it_a_hold_that_says_why() -> None:
    found = decided(a_call(answer(confidence=0.5)))

    assert (found.action, found.code) == (Action.HOLD, "confidence_check_failed")
    assert found.reason == (
        "BUY was proposed and fails on confidence: required at least 0.7, found 0.5"
    )
    assert found.proposal is not None
    assert found.proposal.action is Action.BUY


@pytest.mark.parametrize(
    "text", ["BUY", "buy at 1.00", "", '{"action": "BUY"}', "```json\nBUY\n```", "{", answer()[:-2]]
)
def test_an_unreadable_answer_is_never_a_buy(text: str) -> None:
    found = decided(a_call(text))

    assert (found.action, found.code) == (Action.HOLD, "answer_unreadable")
    assert (found.proposal, found.confidence) == (None, 0.0)
    assert found.reason.startswith("the model's answer cannot be read")
    assert [c.passed for c in found.checks] == [False]


def test_a_proposed_hold_gives_its_reasons() -> None:
    found = decide(captured(), a_hold(reasons=("RSI 50", "MACD 0")), a_call(""))

    assert (found.action, found.code) == (Action.HOLD, "hold_proposed")
    assert found.reason == "the model proposes to hold: RSI 50; MACD 0"


def test_a_hold_without_reasons_says_that_too() -> None:
    found = decide(captured(), a_hold(reasons=()), a_call(""))

    assert found.reason == "the model proposes to hold: no reason given"


def test_a_confidence_a_hair_below_what_is_required_fails() -> None:
    found = decided(a_call(answer().replace("0.8", "0.69999999999999999999")))

    assert (found.action, found.code) == (Action.HOLD, "confidence_check_failed")


def test_a_reason_is_as_long_as_the_event_keeps_it() -> None:
    found = decided(a_call(answer(action="HOLD", reasons=["x" * 500] * 10)))

    assert found.code == "hold_proposed"
    assert len(found.reason) == 2_000


def test_rules_are_labelled_rules() -> None:
    event = captured(rules_strategy())
    found = decide(event, vote(event.evidence), None)

    assert (found.source, found.action) == ("rules", Action.BUY)


def test_votes_are_no_answer_for_a_strategy_that_asks_a_model() -> None:
    event = captured(a_strategy())
    found = decide(event, vote(event.evidence), None)

    assert (found.action, found.code) == (Action.HOLD, "source_check_failed")


def test_two_symbols_are_two_decisions() -> None:
    rising = captured(rules_strategy())
    unknown = captured(rules_strategy(), evidence=evidence(indicators=unknown_indicators()))

    actions = [decide(e, vote(e.evidence), None).action for e in (rising, unknown)]

    assert actions == [Action.BUY, Action.HOLD]


def test_the_hash_knows_no_run_clock_latency_or_token_count() -> None:
    first = decided(a_call(answer()))
    again = decided(
        a_call(answer(), latency_ms=9, attempts=3, prompt_tokens=1, completion_tokens=2),
        run_id="run-2",
        occurred_at="2024-01-01T00:00:00Z",
        expires_at=None,
    )

    assert again.signal_hash == first.signal_hash


@pytest.mark.parametrize(
    "other",
    [
        a_call(answer() + " "),
        a_call(answer(confidence=0.81)),
        a_call(answer(), request='{"messages": [{"role": "user", "content": "Propose for NVDA"}]}'),
    ],
)
def test_the_hash_knows_prompt_and_answer(other: ModelCall) -> None:
    assert decided(other).signal_hash != decided(a_call(answer())).signal_hash


def test_the_hash_knows_the_evidence() -> None:
    changed = evidence(indicators=indicators(bollinger_upper="102.01"))

    assert (
        decided(a_call(answer()), evidence=changed).signal_hash
        != decided(a_call(answer())).signal_hash
    )


@given(st.floats(0, 1), st.decimals("80", "120", places=2), st.decimals("80", "120", places=2))
def test_it_trades_only_if_all_passed_and_always_says_why(
    confidence: float, stop: Any, target: Any
) -> None:
    proposal = a_buy(confidence=confidence, stop_loss=stop, take_profit=target)
    found = decide(captured(), proposal, a_call(""))

    assert (found.action is Action.BUY) == all(c.passed for c in found.checks)
    assert found.reason
