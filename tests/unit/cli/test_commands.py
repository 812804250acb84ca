import json
from datetime import UTC, datetime

import httpx
import pytest
from typer.testing import CliRunner

from cli import control, runs, target, trace
from cli.errors import CommandError, Exit
from shared.events.base import Event
from shared.events.run import Outcome
from shared.market_time import RealClock
from tests.unit.cli.builders import RUN, a_whole_run, accepted, failed, finished, waiting
from tests.unit.cli.fake_api import FakeApi, api_that

FAILED_RUN: tuple[Event, ...] = (
    accepted(),
    failed("TSLA", "signal"),
    finished(TSLA=Outcome.FAILED, NVDA=Outcome.HELD),
)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> FakeApi:
    """An api with a whole run, which commands find."""
    fake = FakeApi(a_whole_run())
    monkeypatch.setattr(target, "api", fake.api)
    monkeypatch.setattr(target, "market_clock", RealClock)
    return fake


def run(app: object, *words: str) -> tuple[int, str]:
    """Run a command; what ends it with a line for the user is raised."""
    result = CliRunner().invoke(app, list(words))  # type: ignore[arg-type]  # any Typer
    if isinstance(result.exception, CommandError):
        raise result.exception
    return result.exit_code, result.stdout


def test_trigger_asks_for_exactly_what_was_said(api: FakeApi) -> None:
    words = "trigger TSLA AAPL --strategy rules-only --mode paper --run-id r1 --note why"
    code, text = run(runs.app, *words.split())

    assert json.loads(api.asked[0].content) == {
        "strategy_id": "rules-only",
        "symbols": ["TSLA", "AAPL"],
        "mode": "paper",
        "run_id": "r1",
        "note": "why",
    }
    assert (code, f"./openbell show {RUN} --watch" in text) == (0, True)


def test_a_request_without_an_answer_can_be_repeated_without_running_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def hang_up(request: httpx.Request) -> httpx.Response:
        asked.append(json.loads(request.content)["run_id"])
        raise httpx.ReadTimeout("")

    monkeypatch.setattr(target, "api", lambda: api_that(hang_up))

    with pytest.raises(CommandError) as error:
        run(runs.app, "trigger", "TSLA")

    assert str(error.value).endswith(f"ask again with --run-id {asked[0]}: one id is one run")


def test_a_strategy_by_number_goes_as_a_number(api: FakeApi) -> None:
    run(runs.app, "trigger", "TSLA", "--strategy", "2")

    assert json.loads(api.asked[0].content)["strategy_id"] == 2


def test_trigger_without_a_symbol_is_wrong_usage(api: FakeApi) -> None:
    assert run(runs.app, "trigger")[0] == 2
    assert api.asked == []


@pytest.mark.usefixtures("api")
def test_waiting_for_a_run_without_a_failed_symbol_is_success() -> None:
    code, text = run(runs.app, "trigger", "TSLA", "--wait")

    assert code == 0
    assert "✓ finish" in text
    assert "TSLA   simulated" in text


@pytest.mark.parametrize("shown", [(), ("--json",)])
def test_waiting_for_a_run_with_a_failed_symbol_is_failure(
    api: FakeApi, shown: tuple[str, ...]
) -> None:
    api.events = FAILED_RUN

    assert run(runs.app, "trigger", "TSLA", "--wait", *shown)[0] == Exit.FAILED


def test_a_wait_that_is_too_long_says_what_was_waited_for(
    api: FakeApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.client._RECONNECT_S", 0)
    api.events = (accepted(), waiting())

    with pytest.raises(CommandError, match=r"found it at step market_open \(XNYS is closed") as e:
        run(runs.app, "show", RUN, "--watch", "--timeout", "0.1")

    assert e.value.code is Exit.TIMED_OUT


@pytest.mark.parametrize(
    ("app", "words", "document"),
    [
        (runs.app, ("runs",), "list"),
        (runs.app, ("show", RUN), "view"),
        (runs.app, ("show", RUN, "--watch"), "view"),
        (runs.app, ("trigger", "TSLA", "--wait"), "view"),
        (trace.app, (RUN,), "rows"),
    ],
)
def test_json_is_one_document_and_nothing_else(
    api: FakeApi, app: object, words: tuple[str, ...], document: str
) -> None:
    _, text = run(app, *words, "--json")

    expected = {"list": [api.view()], "view": api.view(), "rows": api.rows()}[document]
    assert json.loads(text) == expected


@pytest.mark.usefixtures("api")
def test_a_piped_command_writes_no_colours() -> None:
    texts = [run(runs.app, "runs"), run(runs.app, "show", RUN), run(trace.app, RUN)]

    assert all("\x1b" not in text for _, text in texts)


def test_a_run_under_way_is_shown_with_what_it_waits_for(api: FakeApi) -> None:
    api.events = (accepted(), waiting())

    _, text = run(runs.app, "show", RUN)

    assert "… market_open" in text
    assert "· broker_ready" in text


def test_resuming_asks_and_without_a_terminal_changes_nothing(api: FakeApi) -> None:
    with pytest.raises(CommandError, match="expected --yes") as e:
        run(control.app, "resume")

    assert (e.value.code, api.asked) == (Exit.REFUSED, [])


@pytest.mark.usefixtures("api")
def test_the_times_of_a_list_are_those_of_the_runs() -> None:
    _, text = run(runs.app, "runs")

    assert f"{datetime(2026, 1, 5, 12, tzinfo=UTC):%Y-%m-%d %H:%M:%S}" in text
    assert "2.00 s" in text
