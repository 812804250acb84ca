import time

import httpx
import pytest

from cli.client import Api, RefusedError, UnansweredError
from cli.errors import Exit
from tests.unit.cli.builders import RUN, a_whole_run
from tests.unit.cli.fake_api import URL, FakeApi, api_that, problem


def test_the_token_is_shown() -> None:
    fake = FakeApi(a_whole_run())

    fake.api().run(RUN)

    assert fake.asked[0].headers["Authorization"] == "Bearer secret-token"


def test_a_refusal_says_reason_and_code_and_exits_with_3() -> None:
    api = api_that(lambda _: problem(422, "no_symbols", "expected a symbol, found none"))

    with pytest.raises(RefusedError, match=r"expected a symbol, found none \(no_symbols\)") as e:
        api.post("/runs", {})

    assert (e.value.code, e.value.status) == (Exit.REFUSED, 422)


def test_a_failure_of_the_api_is_no_refusal() -> None:
    api = api_that(lambda _: problem(503, "storage_unavailable", "try again"))

    with pytest.raises(UnansweredError, match="storage_unavailable") as e:
        api.get("/runs")

    assert e.value.code is Exit.FAILED


def test_an_api_that_is_down_is_one_line_with_what_to_do() -> None:
    def refuse(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("[Errno 111] Connection refused")

    with pytest.raises(UnansweredError) as e:
        api_that(refuse).get("/runs")

    expected = f"expected the api at {URL}, found connection refused; run './openbell up'"
    assert str(e.value) == expected


@pytest.mark.parametrize(
    "answer", [httpx.Response(200, text="<html>"), httpx.Response(404, text="nginx")]
)
def test_another_server_at_the_address_is_named_as_such(answer: httpx.Response) -> None:
    with pytest.raises(UnansweredError, match="expected the openbell api"):
        api_that(lambda _: answer).get("/runs")


def test_an_address_that_is_none_is_told_without_a_traceback() -> None:
    with pytest.raises(UnansweredError, match="expected the api at"):
        Api("nonsense", None).get("/runs")


def test_a_run_id_cannot_lead_to_another_path() -> None:
    fake = FakeApi(a_whole_run())

    with pytest.raises(RefusedError):
        fake.api().run("../strategies?x=1")

    assert fake.asked[0].url.raw_path == b"/runs/..%2Fstrategies%3Fx%3D1"


def test_a_run_is_followed_to_its_end() -> None:
    followed = FakeApi(a_whole_run()).api().follow(RUN, time.monotonic() + 5)

    assert [entry.event for entry in followed] == list(a_whole_run())


def test_a_stream_that_breaks_is_taken_up_again_and_no_event_comes_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("cli.client._RECONNECT_S", 0)
    whole = FakeApi(a_whole_run())
    streams = [FakeApi(a_whole_run()[:4]), None, whole]

    def answer(request: httpx.Request) -> httpx.Response:
        stream = streams.pop(0)
        if stream is None:
            raise httpx.ConnectError("Connection refused")
        transport = stream.api().transport
        assert isinstance(transport, httpx.MockTransport)
        return transport.handle_request(request)

    followed = list(api_that(answer).follow(RUN, time.monotonic() + 5))

    assert [entry.event for entry in followed] == list(a_whole_run())


def test_following_ends_at_its_deadline() -> None:
    unfinished = FakeApi(a_whole_run()[:4]).api()

    with pytest.raises(TimeoutError):
        list(unfinished.follow(RUN, time.monotonic()))


def test_a_stream_that_says_nothing_ends_at_its_deadline() -> None:
    def silent(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("", request=request)

    with pytest.raises(TimeoutError):
        list(api_that(silent).follow(RUN, time.monotonic() + 5))


def test_a_run_that_nobody_knows_is_not_asked_for_again() -> None:
    fake = FakeApi(a_whole_run())

    with pytest.raises(RefusedError):
        list(fake.api().follow("other", time.monotonic() + 5))

    assert len(fake.asked) == 1
