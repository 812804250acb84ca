from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from pydantic import AnyHttpUrl

from services.signals import handlers
from services.signals.model import Model
from services.signals.settings import LlmSettings
from shared.envelope import Cause
from shared.events.evidence import EvidenceCaptured
from shared.events.signal import Action, SignalChecked
from shared.failures import StepFailedError
from shared.stage import Stage
from shared.subscription import Results, Subscription
from shared.topics import EVIDENCE_CAPTURED
from tests.unit.signals.builders import (
    NOW,
    a_contract,
    a_strategy,
    captured,
    evidence,
    rules_strategy,
)
from tests.unit.signals.endpoint import completion, serving

BUY = '{"reasons": ["up"], "action": "BUY", "confidence": 0.8, "stop_loss": 97, "take_profit": 106}'
Work = Callable[[Cause[EvidenceCaptured], str], Awaitable[list[SignalChecked]]]


class Bus:
    """Where the step registers; the test is the consumer."""

    clock = type("Still", (), {"now": staticmethod(lambda: NOW), "simulated": True})()

    def __init__(self) -> None:
        self.work: Work | None = None

    def on(self, *_: Any, step: str) -> Callable[[Work], Work]:
        assert step == "signal"

        def register(work: Work) -> Work:
            self.work = work
            return work

        return register

    def stamp(self) -> dict[str, Any]:
        return {"occurred_at": NOW, "market_time": NOW}


async def handled(event: EvidenceCaptured, model: Model | None = None) -> SignalChecked:
    bus = Bus()
    handlers.register(cast("Stage", bus), model)
    assert bus.work is not None
    (signal,) = await bus.work(Cause(event, "evidence.captured", 0, 0, 0), "")
    return signal


async def asked(event: EvidenceCaptured, answer: str) -> SignalChecked:
    with serving(completion(answer)) as endpoint:
        settings = LlmSettings(base_url=AnyHttpUrl(endpoint.url), model="small")
        async with Model(settings) as model:
            return await handled(event, model)


async def test_the_signal_carries_what_execution_needs() -> None:
    event = captured()
    signal = await asked(event, BUY)

    assert (signal.action, signal.source) == (Action.BUY, "llm")
    assert (signal.run_id, signal.symbol, signal.expires_at) == ("run-1", "TSLA", event.expires_at)
    assert (signal.context, signal.accounts, signal.paper) == (event.context, ("DU1234567",), True)
    assert (signal.contract, signal.quote) == (event.evidence.contract, event.evidence.quote)
    assert signal.atr == event.evidence.indicators.atr_14
    assert signal.evidence_hash == event.evidence_hash
    assert signal.call is not None
    assert signal.call.answer == BUY


async def test_an_answer_that_is_nonsense_is_a_hold_and_is_kept() -> None:
    signal = await asked(captured(), "Just buy it, trust me.")

    assert (signal.action, signal.code) == (Action.HOLD, "answer_unreadable")
    assert signal.call is not None
    assert signal.call.answer == "Just buy it, trust me."


async def test_rules_vote_without_any_model() -> None:
    signal = await handled(captured(rules_strategy()))

    assert (signal.action, signal.source, signal.call) == (Action.BUY, "rules", None)


async def test_the_event_survives_its_own_json() -> None:
    signal = await asked(captured(), BUY)

    assert SignalChecked.model_validate_json(signal.model_dump_json()) == signal


async def test_each_symbol_is_asked_about_by_its_own_name() -> None:
    nvda = evidence(contract=a_contract(symbol="NVDA", company="NVIDIA CORP"))
    signals = [await asked(captured(), BUY), await asked(captured(evidence=nvda), BUY)]

    requests = [signal.call.request for signal in signals if signal.call]
    assert [signal.symbol for signal in signals] == ["TSLA", "NVDA"]
    assert "Propose for TSLA." in requests[0]
    assert "Propose for NVDA." in requests[1]
    assert "TSLA" not in requests[1]
    assert signals[0].signal_hash != signals[1].signal_hash


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (captured(), "llm_not_configured"),
        (captured(a_strategy(prompt="momentum-v0")), "unknown_prompt"),
        (captured(rules_strategy(), evidence_hash="0" * 64), "evidence_changed"),
    ],
)
async def test_what_cannot_be_judged_fails_with_a_code(event: EvidenceCaptured, code: str) -> None:
    with pytest.raises(StepFailedError) as raised:
        await handled(event)

    assert raised.value.code == code


async def test_a_failed_step_says_on_which_evidence_it_failed() -> None:
    async def nothing(*_: Any) -> Results:
        return []

    event = captured()
    subscription = Subscription(cast("Stage", Bus()), EVIDENCE_CAPTURED, "signal", nothing)

    failed = subscription._step_failed(event, "", StepFailedError("llm_timeout", "no answer"))

    assert (failed.step, failed.symbol) == ("signal", "TSLA")
    assert failed.evidence_hash == event.evidence_hash
