"""The api by its own description: everything is answered, and nothing without a token."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.core.result import Ok

from tests.running import Running, body_of, until

OPEN = {"/health/live", "/health/ready", "/metrics", "/docs", "/openapi.json"}
MOST_EXAMPLES = 12

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def described(running: Running) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{running.api_url}/openapi.json").json()
    return found


@pytest.fixture
async def left_as_it_was(running: Running) -> Any:
    """Undo what was switched off, and let the runs end that were asked for."""
    yield
    halts: dict[str, str] = {}
    for record in await running.records("control.switch"):
        switch = body_of(record)
        halts[switch["scope"]] = switch["state"]
    with running.http() as http:
        for scope in (scope for scope, state in halts.items() if state == "halted"):
            http.post("/control/resume", json={"scope": scope}).raise_for_status()

        def all_ended() -> bool | None:
            runs = http.get("/runs", params={"limit": 500}).json()
            return all(run["status"] != "running" for run in runs) or None

        until(all_ended, "the end of all runs", 60)


def operations(described: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for path, methods in described["paths"].items():
        for method in methods:
            yield method.upper(), re.sub(r"\{\w+\}", "1", path)


def generations(operation: Any) -> list[schemathesis.GenerationMode]:
    """Return good requests and bad ones; where nothing is asked for, none can be bad."""
    asks = bool(operation.body) or any(operation.iter_parameters())
    return list(schemathesis.GenerationMode) if asks else [schemathesis.GenerationMode.POSITIVE]


@pytest.mark.parametrize("shown", [None, "Bearer wrong", "Bearer", "Basic Og=="])
def test_without_the_token_there_is_nothing_but_health_and_docs(
    running: Running, described: dict[str, Any], shown: str | None
) -> None:
    headers = {} if shown is None else {"Authorization": shown}
    asked = [*operations(described), ("GET", "/docs"), ("GET", "/openapi.json")]
    with httpx.Client(base_url=running.api_url, headers=headers) as http:
        answers = {(m, path): http.request(m, path) for m, path in asked}

    statuses = {where: answer.status_code for where, answer in answers.items()}
    assert {w for w, status in statuses.items() if status == 200} == {("GET", p) for p in OPEN}
    assert {status for (_, p), status in statuses.items() if p not in OPEN} == {401}
    refused = [a for a in answers.values() if a.status_code == 401]
    assert {a.headers["content-type"] for a in refused} == {"application/problem+json"}
    assert {a.json()["code"] for a in refused} == {"unauthorized"}


@pytest.mark.usefixtures("left_as_it_was")
def test_no_request_of_any_shape_is_a_server_error(
    running: Running, described: dict[str, Any]
) -> None:
    headers = {"Authorization": f"Bearer {running.token}"}
    schema = schemathesis.openapi.from_dict(described)
    schema.config.update(base_url=running.api_url)
    asked = set()

    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        operation = result.ok()
        for generation in generations(operation):

            @settings(
                max_examples=MOST_EXAMPLES,
                deadline=None,
                derandomize=True,
                database=None,
                phases=[Phase.explicit, Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(case=operation.as_strategy(generation_mode=generation))
            def ask(case: schemathesis.Case[Any]) -> None:
                answer = case.call(headers=headers, timeout=10)
                assert answer.status_code < 500, f"{case.as_curl_command()}\n{answer.text}"
                asked.add(case.operation.label)

            ask()

    assert len(asked) == sum(len(methods) for methods in described["paths"].values())
