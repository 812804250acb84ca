"""The ladder from a gateway that is down to a session that is ready."""

from typing import Any

import pytest

from shared.ibkr import errors
from shared.ibkr.session import standing

READY = {
    "authenticated": True,
    "established": True,
    "competing": False,
    "connected": True,
    "message": "",
    "fail": "",
}


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (READY, "ready"),
        ({k: v for k, v in READY.items() if k != "established"}, "ready"),
        (READY | {"established": False}, "connected"),
        ({"authenticated": False, "competing": False, "connected": True}, "connected"),
        ({"authenticated": False, "competing": False, "connected": False}, "login_required"),
        (READY | {"competing": True}, "competing"),
        (READY | {"authenticated": False, "competing": True}, "competing"),
        (READY | {"connected": False}, "login_required"),
        ({}, "unreachable"),
        ([], "unreachable"),
        (READY | {"authenticated": "yes"}, "unreachable"),
        (errors.UnreachableError("refused"), "unreachable"),
        (errors.UnavailableError("503"), "unreachable"),
        (errors.NotLoggedInError("401"), "login_required"),
        (errors.NoBridgeError("no bridge"), "connected"),
        (errors.TooManyRequestsError("429"), "unreachable"),
    ],
)
def test_each_answer_has_its_rung(status: Any, state: str) -> None:
    found = standing(status)
    assert found.state == state
    assert found.why


def test_what_the_broker_says_of_it_is_the_reason() -> None:
    said = standing(READY | {"authenticated": False, "fail": "too bad", "message": "later"})
    assert said.why == "too bad, later"


def test_a_missing_login_says_what_to_do() -> None:
    assert "log in" in standing(errors.NotLoggedInError("the broker answered 401")).why
