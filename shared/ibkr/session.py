"""The ladder of the broker's login: what its answers say about the session. Pure."""

from dataclasses import dataclass
from typing import Any

from shared.events.state import BrokerState
from shared.ibkr.errors import BrokerError, NoBridgeError, NotLoggedInError

LOG_IN = "log in on the Client Portal's page in a browser"


@dataclass(frozen=True)
class Standing:
    """Where the session stands, and why, in words."""

    state: BrokerState
    why: str


def standing(status: Any) -> Standing:
    """Judge an answer of ``/iserver/auth/status`` or ``ssodh/init``, or the error it ended in.

    Builds that do not say ``established`` are judged by ``authenticated``.
    """
    if isinstance(status, BrokerError):
        return _of_error(status)
    if not isinstance(status, dict) or not isinstance(status.get("authenticated"), bool):
        return Standing("unreachable", "the broker's status has not the documented shape")
    return _of_status(status)


def _of_status(status: dict[str, Any]) -> Standing:
    said = ", ".join(str(status[name]) for name in ("fail", "message") if status.get(name))
    if status.get("competing") is True:
        return Standing("competing", said or "another program or app uses this login")
    if status.get("connected") is not True:
        return Standing("login_required", said or f"the session has ended: {LOG_IN}")
    if not status["authenticated"]:
        return Standing("connected", said or "logged in, no brokerage session yet")
    if status.get("established", True) is not True:
        return Standing("connected", said or "the brokerage session is not established yet")
    return Standing("ready", "authenticated and connected")


def _of_error(error: BrokerError) -> Standing:
    if isinstance(error, NotLoggedInError):
        return Standing("login_required", f"{error.reason}; {LOG_IN}")
    if isinstance(error, NoBridgeError):
        return Standing("connected", error.reason)
    return Standing("unreachable", error.reason)
