from starlette.testclient import TestClient

from bench.instant_llm import app
from services.signals.answer import parse
from services.signals.completion import answer_of, completion_of
from services.signals.prompt import render, request_body
from shared.events.signal import Action
from tests.unit.signals.builders import a_strategy, evidence


def test_the_instant_endpoint_answers_a_real_request_with_a_hold() -> None:
    body = request_body(render(evidence(), a_strategy()), model="instant", max_tokens=160)

    reply = TestClient(app).post("/v1/chat/completions", content=body)

    found = completion_of(reply.text)
    assert parse(answer_of(found)).action is Action.HOLD
    assert found.usage.prompt_tokens > 0
