import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import AnyHttpUrl, SecretStr

from services.signals.model import BUDGET_S, Model
from services.signals.prompt import render, request_body
from services.signals.settings import LlmSettings
from shared.events.signal import ModelCall
from shared.failures import StepFailedError
from tests.unit.signals.builders import NOW, a_contract, a_strategy, evidence
from tests.unit.signals.endpoint import Endpoint, Reply, completion, error, serving

KEY = "sk-this-is-the-secret"
# A name in another script: its bytes and its characters are not the same number.
PROMPT = render(evidence(contract=a_contract(company="Überall 東京")), a_strategy())


@dataclass
class Clock:
    """Stands still, and jumps an hour once an endpoint was asked."""

    asked: list[bytes]
    simulated = True

    def now(self) -> datetime:
        return NOW + timedelta(hours=1) if self.asked else NOW


async def ask(
    url: str,
    *,
    key: str = KEY,
    clock: Clock | None = None,
    budget_s: float = BUDGET_S,
    **settings: Any,
) -> ModelCall:
    llm = LlmSettings(base_url=AnyHttpUrl(url), model="small", api_key=SecretStr(key), **settings)
    async with Model(llm, budget_s=budget_s) as model:
        return await model.ask(PROMPT, clock or Clock([]), NOW + timedelta(minutes=30))


async def refused(endpoint: Endpoint, **settings: Any) -> StepFailedError:
    with pytest.raises(StepFailedError) as raised:
        await ask(endpoint.url, **settings)
    return raised.value


async def test_what_is_recorded_is_byte_for_byte_what_the_endpoint_received() -> None:
    with serving(completion("{}")) as endpoint:
        call = await ask(endpoint.url)

    assert endpoint.received == [call.request.encode()]
    assert call.request == request_body(PROMPT, model="small", max_tokens=256)
    assert "東京" in call.request
    assert endpoint.headers[0]["content-type"] == "application/json"
    assert endpoint.headers[0]["authorization"] == f"Bearer {KEY}"


async def test_the_call_holds_answer_tokens_and_prompt() -> None:
    with serving(completion(' {"action": "BUY"} ')) as endpoint:
        call = await ask(endpoint.url)

    assert call.answer == ' {"action": "BUY"} '
    assert (call.prompt_tokens, call.completion_tokens, call.attempts) == (470, 75, 1)
    assert (call.prompt_version, call.template_hash) == (PROMPT.version, PROMPT.template_hash)


async def test_the_key_is_in_no_record() -> None:
    with serving(completion("{}")) as endpoint:
        call = await ask(endpoint.url)

    assert KEY not in call.model_dump_json()


async def test_an_endpoint_may_need_no_key() -> None:
    with serving(completion("{}")) as endpoint:
        await ask(endpoint.url, key="")

    assert endpoint.headers[0]["authorization"] == "Bearer none"


@pytest.mark.parametrize("passing", [error(503), error(429), error(408), Reply("", drop=True)])
async def test_what_may_pass_is_tried_again_with_the_same_bytes(passing: Reply) -> None:
    with serving(passing, completion("{}")) as endpoint:
        call = await ask(endpoint.url)

    assert call.attempts == 2
    assert endpoint.received == [call.request.encode()] * 2


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (error(500), "llm_error"),
        (error(429), "llm_refused"),
        (Reply("", drop=True), "llm_unreachable"),
        (Reply("", hang=True), "llm_timeout"),
    ],
)
async def test_attempts_are_bounded_and_counted(reply: Reply, code: str) -> None:
    with serving(reply) as endpoint:
        failure = await refused(endpoint, attempts=2, timeout_s=0.2)

    assert (failure.code, failure.attempts) == (code, 2)
    assert len(endpoint.received) == 2


async def test_nobody_listening_is_unreachable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        with pytest.raises(StepFailedError, match="OPENBELL_LLM__BASE_URL") as raised:
            await ask(url, attempts=2)

    assert (raised.value.code, raised.value.attempts) == ("llm_unreachable", 2)


@pytest.fixture
def proxied(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """An environment that sends all to a proxy, which is there and answers for the world."""
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with serving(completion("by the proxy")) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url.removesuffix("/v1"))
        yield proxy


def has_ipv6() -> bool:
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            return False
    return True


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
async def test_a_model_on_this_machine_is_asked_directly(proxied: Endpoint, host: str) -> None:
    address = "::1" if host == "[::1]" else "127.0.0.1"
    if address == "::1" and not has_ipv6():
        pytest.skip("this machine has no IPv6")
    with serving(completion("by the model"), address=address) as endpoint:
        call = await ask(endpoint.url.replace(endpoint.host, host))

    assert call.answer == "by the model"
    assert proxied.received == []


async def test_a_dead_proxy_of_the_environment_does_not_keep_from_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket() as taken, serving(completion("{}")) as endpoint:
        taken.bind(("127.0.0.1", 0))
        for name in ("HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{taken.getsockname()[1]}")
        call = await ask(endpoint.url, attempts=1)

    assert call.answer == "{}"


async def test_a_model_elsewhere_is_asked_through_the_proxy(proxied: Endpoint) -> None:
    call = await ask("http://model.example/v1")

    assert call.answer == "by the proxy"
    assert proxied.headers[0]["host"] == "model.example"


@pytest.mark.parametrize(
    ("reply", "advice"),
    [
        (error(401, f"bad key {KEY}"), "OPENBELL_LLM__API_KEY"),
        (error(403, f"bad key {KEY}"), "OPENBELL_LLM__API_KEY"),
        (error(404, f"no such model, {KEY}"), "OPENBELL_LLM__MODEL"),
        (error(400, "temperature is not supported"), "temperature is not supported"),
    ],
)
async def test_a_refusal_says_which_setting_to_look_at_and_never_the_key(
    reply: Reply, advice: str
) -> None:
    with serving(reply) as endpoint:
        failure = await refused(endpoint)

    assert (failure.code, failure.attempts) == ("llm_refused", 1)
    assert advice in failure.reason
    assert KEY not in failure.reason


async def test_an_endpoint_without_structured_output_is_not_asked_for_less_in_silence() -> None:
    with serving(error(400, "response_format json_schema is not supported")) as endpoint:
        failure = await refused(endpoint)

    assert failure.code == "llm_refused"
    assert "must support response_format json_schema" in failure.reason
    assert len(endpoint.received) == 1


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>Welcome</html>",
        "{",
        '{"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}',
        '{"choices": [{"message": {"content": "{}"}}]}',
        completion("\ud800").body,
        completion("x" * 200_000).body,
    ],
)
async def test_what_is_no_completion_is_an_error(body: str) -> None:
    with serving(Reply(body)) as endpoint:
        failure = await refused(endpoint)

    assert (failure.code, failure.attempts) == ("llm_error", 1)


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (completion(None), "said nothing"),
        (completion("", finish_reason="length"), "OPENBELL_LLM__MAX_TOKENS"),
        (completion("", finish_reason="\x1b[2J"), r"finish_reason '\\x1b\[2J'"),
        (completion(None, refusal="I\x1b[2J cannot"), r"refused: 'I\\x1b\[2J cannot'"),
    ],
)
async def test_no_answer_at_all_fails_the_step(reply: Reply, why: str) -> None:
    with (
        serving(reply) as endpoint,
        pytest.raises(StepFailedError, match=why) as raised,
    ):
        await ask(endpoint.url)

    assert (raised.value.code, raised.value.attempts) == ("llm_empty", 1)


async def test_an_answer_that_was_cut_off_is_kept_as_it_is() -> None:
    with serving(completion('{"action": "BU', finish_reason="length")) as endpoint:
        call = await ask(endpoint.url)

    assert call.answer == '{"action": "BU'


async def test_the_call_ends_when_the_run_expires() -> None:
    with serving(Reply("", hang=True)) as endpoint:
        failure = await refused(endpoint, clock=Clock(endpoint.received))

    assert (failure.code, failure.attempts) == ("expired", 1)


async def test_all_attempts_together_have_a_budget() -> None:
    with serving(Reply("", hang=True)) as endpoint:
        failure = await refused(endpoint, budget_s=0.3)

    assert (failure.code, failure.attempts) == ("llm_timeout", 1)
    assert "within 0.3 s" in failure.reason
