"""How often the broker may be asked what, per username (IBKR's documented pacing). Pure."""

from dataclasses import dataclass
from enum import IntEnum


@dataclass(frozen=True)
class Limit:
    """At most ``count`` begun in any ``window_s``, and at most ``at_once`` under way."""

    prefix: str
    count: int
    window_s: float
    at_once: int | None = None


_QUARTER_HOUR_S = 900.0
# IBKR allows 10 a second and bans who exceeds it; bytes may also bunch up on their way.
ALL = Limit("", 8, 1)
_LIMITS = (
    Limit("iserver/marketdata/snapshot", 8, 1),
    Limit("iserver/marketdata/history", 8, 1, at_once=4),
    Limit("iserver/account/orders", 1, 5),
    Limit("iserver/account/trades", 1, 5),
    Limit("iserver/account/pnl/partitioned", 1, 5),
    Limit("portfolio/accounts", 1, 5),
    Limit("portfolio/subaccounts", 1, 5),
    Limit("tickle", 1, 1),
    Limit("sso/validate", 1, 60),
    Limit("iserver/scanner/params", 1, _QUARTER_HOUR_S),
    Limit("iserver/scanner/run", 1, 1),
    Limit("pa/performance", 1, _QUARTER_HOUR_S),
    Limit("pa/summary", 1, _QUARTER_HOUR_S),
    Limit("pa/transactions", 1, _QUARTER_HOUR_S),
    Limit("fyi", 1, 1),
)
_KEEP_ALIVE = ("tickle", "iserver/auth", "iserver/accounts", "sso")


class Priority(IntEnum):
    """Who goes first when all want to go."""

    KEEP_ALIVE = 0
    DATA = 1


def limit_of(path: str) -> Limit:
    """Return the limit that holds for a path; most have but the one of all."""
    for limit in _LIMITS:
        if _under(path, limit.prefix):
            return limit
    return ALL


def priority_of(path: str) -> Priority:
    """Return the priority of a path: without a session, no data."""
    kept = any(_under(path, prefix) for prefix in _KEEP_ALIVE)
    return Priority.KEEP_ALIVE if kept else Priority.DATA


def _under(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")
