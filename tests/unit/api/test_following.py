"""Who follows a run is told its end last, and is not kept waiting for ever."""

import json
from typing import Any

from services.api.following import Following


def row(number: int, kind: str, symbol: str | None = None, *named: str) -> dict[str, Any]:
    body = json.dumps({"symbols": [{"symbol": name} for name in named]})
    return {"id": number, "type": kind, "symbol": symbol, "body": body}


END = row(2, "run.finished", None, "TSLA", "NVDA")
TSLA, NVDA = row(1, "order.changed", "TSLA"), row(3, "order.changed", "NVDA")


def told(following: Following, *rows: dict[str, Any], now: float = 0) -> list[int]:
    return [row["id"] for row in following.take(rows, now)]


def test_the_end_waits_for_the_outcome_that_the_ledger_took_in_later() -> None:
    following = Following()

    first, over_too_soon = told(following, TSLA, END), following.over
    second = told(following, NVDA)

    assert (first, over_too_soon) == ([1], False)
    assert (second, following.over, following.seen) == ([3, 2], True, 3)


def test_an_end_whose_outcomes_are_told_is_told_at_once() -> None:
    following = Following()

    assert told(following, TSLA, NVDA, END) == [1, 3, 2]
    assert following.over


def test_a_step_that_failed_for_the_whole_run_closes_every_symbol() -> None:
    assert told(Following(), row(1, "step.failed"), END) == [1, 2]


def test_it_is_not_waited_for_longer_than_two_seconds() -> None:
    following = Following()

    assert told(following, END, now=10) == []
    assert told(following, now=11.9) == []
    assert told(following, now=12) == [2]


def test_an_end_that_a_stranger_wrote_does_no_harm() -> None:
    assert told(Following(), {**END, "body": "garbage"}) == [2]
