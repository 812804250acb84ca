"""The step on a real model: SmolLM2 by llama.cpp, in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from pydantic import AnyHttpUrl

from services.signals.answer import read
from services.signals.decide import Decided, decide
from services.signals.model import Model
from services.signals.prompt import render
from services.signals.settings import LlmSettings
from shared.events.evidence import EvidenceCaptured
from shared.events.signal import Action, ModelCall
from shared.market_time import RealClock
from tests.unit.signals.builders import a_contract, captured, evidence
from tests.unit.signals.endpoint import Endpoint, Reply, serving

# One at a time and nothing kept between requests: what a model computes in a batch with others, or
# from a kept beginning, differs in the last bits, and at times in the answer.
SERVER = """
import signal
from xllamacpp import CommonParams, Server
from deploy.native.llm_server import weights
params = CommonParams()
params.model.path = str(weights())
params.n_ctx, params.n_parallel, params.cache_prompt, params.port = 2048, 1, False, 0
params.verbosity = 1
server = Server(params)
print("listening", server.listening_address, flush=True)
signal.sigwait({signal.SIGTERM})
"""
# The machine may be busy with other tests.
pytestmark = pytest.mark.timeout(300)
PATIENCE_S = 240
MOST_PROMPT_TOKENS = 600

TSLA = captured()
NVDA = captured(evidence=evidence(contract=a_contract(symbol="NVDA", company="NVIDIA CORP")))


@pytest.fixture(scope="module")
def llm_url() -> Iterator[str]:
    command = [sys.executable, "-c", SERVER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield next(line.split()[1] for line in server.stdout if line.startswith("listening"))
        finally:
            server.kill()


@pytest.fixture(scope="module")
def relay(llm_url: str) -> Iterator[Endpoint]:
    """Between the step and the model, so that the bytes on the wire are seen."""

    def forward(body: bytes) -> Reply:
        url = f"{llm_url}/v1/chat/completions"
        reply = httpx.post(
            url, content=body, headers={"Content-Type": "application/json"}, timeout=PATIENCE_S
        )
        return Reply(reply.text, reply.status_code)

    with serving(forward) as endpoint:
        yield endpoint


async def ask(relay: Endpoint, event: EvidenceCaptured) -> tuple[ModelCall, Decided]:
    settings = LlmSettings(base_url=AnyHttpUrl(relay.url), model="smollm2", timeout_s=PATIENCE_S)
    prompt = render(event.evidence, event.context.strategy)
    async with Model(settings, budget_s=PATIENCE_S) as model:
        call = await model.ask(prompt, RealClock(), None)
    return call, decide(event, read(call.answer), call)


async def test_the_same_evidence_gives_the_same_answer_whatever_was_asked_between(
    relay: Endpoint,
) -> None:
    first, first_decided = await ask(relay, TSLA)
    other, other_decided = await ask(relay, NVDA)
    again, again_decided = await ask(relay, TSLA)

    assert again.request == first.request
    assert again.answer == first.answer
    assert again_decided == first_decided
    assert other.request != first.request
    assert other_decided.signal_hash != first_decided.signal_hash


async def test_the_model_is_really_asked_and_its_bytes_are_those_recorded(relay: Endpoint) -> None:
    before = len(relay.received)

    call, _ = await ask(relay, TSLA)

    assert relay.received[before:] == [call.request.encode()]
    assert 0 < call.prompt_tokens < MOST_PROMPT_TOKENS
    assert call.completion_tokens > 0
    assert call.attempts == 1


async def test_even_a_small_model_answers_in_the_asked_shape_and_code_has_the_last_word(
    relay: Endpoint,
) -> None:
    call, decided = await ask(relay, TSLA)

    assert set(json.loads(call.answer)) == {
        "reasons",
        "action",
        "confidence",
        "stop_loss",
        "take_profit",
    }
    assert decided.reason
    assert (decided.action is Action.HOLD) or all(c.passed for c in decided.checks)
