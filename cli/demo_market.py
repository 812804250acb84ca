"""The demo's market: brought to a bell where it is closed, and said to be what it is."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cli.client import Api, UnansweredError
from cli.errors import CommandError, Exit
from cli.words import exchange_time
from shared.market_time import read_record, wall_now, write_record

EXCHANGE = "XNYS"
_LEAD = timedelta(seconds=10)
# With less of the session left, a run could expire before it is decided.
_LEAST_LEFT = timedelta(minutes=2)
_ASK_AGAIN_S = 0.05


def jump_to(session: dict[str, Any], now: datetime) -> datetime | None:
    """Return where market time must jump for a run to start soon; None where it need not.

    That is shortly before the next opening, or to the close where little of the session is left.
    """
    bell = datetime.fromisoformat(session["valid_until"])
    if session["state"] == "open":
        return bell if bell - now < _LEAST_LEFT else None
    return bell - _LEAD if bell - now > _LEAD else None


def bring_to_the_bell(
    api: Api, record: Path, *, timeout_s: float, say: Callable[[str], None]
) -> None:
    """Jump simulated time forward, never back, until the market is open or opens within seconds.

    Raises CommandError with exit code 4 where the clock does not follow.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        session, now = _session(api, deadline)
        to = jump_to(session, now)
        if to is None:
            break
        say(f"the market is {_state(session, now)}; market time jumps to {exchange_time(to)}")
        before = read_record(record)
        write_record(record, before.model_copy(update={"start": to, "anchor": wall_now()}))
    if session["state"] == "open":
        say(f"the market is open (market time {exchange_time(now)}): no waiting for the bell")


def _state(session: dict[str, Any], now: datetime) -> str:
    bell = datetime.fromisoformat(session["valid_until"])
    if session["state"] == "open":
        return f"open for {int((bell - now).total_seconds())} s more only"
    return f"closed until {exchange_time(bell)}"


def _session(api: Api, deadline: float) -> tuple[dict[str, Any], datetime]:
    """Return the exchange's session and market time, once the clock has told of the last bell."""
    while True:
        found = _market(api, deadline)
        now = datetime.fromisoformat(found["market_time"])
        for session in found["sessions"]:
            valid = now < datetime.fromisoformat(session["valid_until"])
            if session["exchange"] == EXCHANGE and valid:
                return session, now
        if time.monotonic() > deadline:
            msg = (
                f"expected the clock to tell the session of {EXCHANGE} at {exchange_time(now)}, "
                "found none; see ./openbell logs clock"
            )
            raise CommandError(msg, Exit.TIMED_OUT)
        time.sleep(_ASK_AGAIN_S)


def _market(api: Api, deadline: float) -> dict[str, Any]:
    """Return ``GET /market``; an api that has not read the topic to its end is asked again."""
    while True:
        try:
            found: dict[str, Any] = api.get("/market")
        except UnansweredError:
            if time.monotonic() > deadline:
                raise
            time.sleep(_ASK_AGAIN_S)
        else:
            return found


def origin_of_data(simulator: Api) -> str:
    """Return where the simulator's prices come from, as it says itself. Raises CommandError."""
    try:
        state = simulator.get("/__sim__/state")
    except CommandError as e:
        msg = f"expected the simulator at {simulator.url}, found no answer; see ./openbell logs"
        raise CommandError(msg) from e
    if state["data"] == "synthetic":
        return f"synthetic: a made-up market from seed {state['seed']}, no real prices"
    return (
        f"replayed: real daily bars from {state['bars_dir']} (the path within each day is made up)"
    )
