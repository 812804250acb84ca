"""HTTP answers as JSON or as the error that they mean."""

from decimal import Decimal

import pytest

from shared.ibkr import errors
from shared.ibkr.answer import read

JSON, HTML, PROBLEM = "application/json", "text/html", "application/problem+json"


def test_fractions_keep_their_digits() -> None:
    assert read(200, JSON, b'{"c": 646.86}') == {"c": Decimal("646.86")}


@pytest.mark.parametrize(
    ("status", "kind", "body", "expected"),
    [
        (401, "text/plain", b"Access Denied", errors.NotLoggedInError),
        (401, "", b"", errors.NotLoggedInError),
        (302, HTML, b"", errors.NotLoggedInError),
        (200, HTML, b"<html>Login</html>", errors.NotLoggedInError),
        (200, JSON, b"<!DOCTYPE html>", errors.NotLoggedInError),
        (200, JSON, b'{"error": "no session"}', errors.NotLoggedInError),
        (200, JSON, b'{"error": "failed to process request"}', errors.NotLoggedInError),
        (401, PROBLEM, b'{"title": "Unauthorized", "status": 401}', errors.NotLoggedInError),
        (400, JSON, b'{"error": "Bad Request: no bridge"}', errors.NoBridgeError),
        (400, JSON, b'{"error": "Please query /accounts first"}', errors.AccountsFirstError),
        (500, JSON, b'{"error": "Please query /accounts first"}', errors.AccountsFirstError),
        (503, JSON, b'{"error": "Service Unavailable"}', errors.UnavailableError),
        (503, "", b"", errors.UnavailableError),
        (502, HTML, b"<html>Bad Gateway</html>", errors.UnavailableError),
        (504, PROBLEM, b'{"title": "Broker timed out", "status": 504}', errors.TimedOutError),
        (423, JSON, b'{"status": "waiting for reply"}', errors.UnavailableError),
        (404, JSON, b'{"error": "not found"}', errors.NotFoundError),
        (400, JSON, b'{"error": "accountId is not valid: 1"}', errors.RefusedError),
        (200, JSON, b'{"error": "something else"}', errors.RefusedError),
        (200, JSON, b"not json", errors.BadAnswerError),
        (200, "", b"", errors.BadAnswerError),
    ],
)
def test_each_failure_is_of_its_kind(
    status: int, kind: str, body: bytes, expected: type[errors.BrokerError]
) -> None:
    with pytest.raises(errors.BrokerError) as caught:
        read(status, kind, body)
    assert type(caught.value) is expected


def test_too_many_requests_say_how_long_to_wait_where_the_broker_says_so() -> None:
    with pytest.raises(errors.TooManyRequestsError) as caught:
        read(429, JSON, b"", "12")
    assert caught.value.retry_after_s == 12
    with pytest.raises(errors.TooManyRequestsError) as caught:
        read(429, JSON, b'{"error": "no bridge"}')
    assert caught.value.retry_after_s is None


def test_an_error_nested_in_an_answer_is_no_error_of_the_answer() -> None:
    tickle = b'{"session": "x", "hmds": {"error": "no bridge"}}'
    assert read(200, JSON, tickle)["session"] == "x"
