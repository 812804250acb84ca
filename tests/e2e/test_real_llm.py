"""The real local model is asked: once per symbol, and what is recorded is what was on the wire."""

import json
from typing import Any

import httpx
import pytest

from tests.e2e.recording_proxy import Exchange, RecordingProxy
from tests.running import Running

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def asked(running: Running, model: RecordingProxy) -> dict[str, tuple[Exchange, dict[str, Any]]]:
    """Run the main job; give each symbol's exchange on the wire and its recorded call."""
    before, tokens_before = len(model.exchanges), tokens_of(model)
    run_id = running.trigger(strategy_id=1, symbols=["TSLA", "NVDA"], dry_run=True)
    running.finished(run_id, 80)
    bodies = [e["body"] for e in running.events(run_id) if e["type"] == "signal.checked"]
    assert len(model.exchanges) == before + 2
    # The model's own count rose by what both symbols asked, no more and no less.
    assert tokens_of(model) - tokens_before == sum(b["call"]["prompt_tokens"] for b in bodies)
    return {b["symbol"]: (model.about(b["symbol"])[-1], b["call"]) for b in bodies}


def tokens_of(model: RecordingProxy) -> float:
    name = "llamacpp:prompt_tokens_total "
    lines = httpx.get(f"{model.upstream}/metrics").text.splitlines()
    return next(float(line.removeprefix(name)) for line in lines if line.startswith(name))


@pytest.mark.parametrize("symbol", ["TSLA", "NVDA"])
def test_the_recorded_request_is_what_the_endpoint_received(
    asked: dict[str, tuple[Exchange, dict[str, Any]]], symbol: str
) -> None:
    exchange, call = asked[symbol]

    assert call["request"].encode() == exchange.request
    assert call["attempts"] == 1


@pytest.mark.parametrize("symbol", ["TSLA", "NVDA"])
def test_the_recorded_answer_and_its_tokens_are_what_the_endpoint_said(
    asked: dict[str, tuple[Exchange, dict[str, Any]]], symbol: str
) -> None:
    exchange, call = asked[symbol]

    assert exchange.reply is not None
    said = json.loads(exchange.reply.body)
    assert call["answer"] == said["choices"][0]["message"]["content"]
    for tokens in ("prompt_tokens", "completion_tokens"):
        assert call[tokens] == said["usage"][tokens] > 0
    assert call["latency_ms"] > 0
