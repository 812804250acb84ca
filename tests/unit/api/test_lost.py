"""Which runs are lost: long past their expiry, and quiet."""

import json
from datetime import timedelta
from typing import Any

import pytest

from services.api.lost import LONG_AFTER, QUIET_FOR, why_lost
from tests.unit.execution.builders import NOW

EXPIRY = NOW
LONG_PAST = EXPIRY + LONG_AFTER
MOMENT = timedelta(seconds=1)


def row(kind: str, **body: Any) -> dict[str, Any]:
    return {"type": kind, "timestamp": NOW, "body": json.dumps(body)}


RELEASED = [
    row("run.accepted", expires_at=None),
    row("run.market-open", expires_at=EXPIRY.isoformat()),
]


def test_a_run_that_nobody_closed_is_lost_and_its_last_event_is_named() -> None:
    why = why_lost(RELEASED, LONG_PAST, NOW + QUIET_FOR)

    assert why is not None
    assert "found run.market-open as the last event" in why
    assert EXPIRY.isoformat() in why


def test_whoever_holds_it_past_its_expiry_has_time_to_say_so() -> None:
    assert why_lost(RELEASED, LONG_PAST - MOMENT, NOW + QUIET_FOR) is None


def test_a_run_that_moves_is_not_lost_though_market_time_jumped() -> None:
    assert why_lost(RELEASED, LONG_PAST, NOW + QUIET_FOR - MOMENT) is None


def test_a_run_that_waits_for_its_bell_is_never_lost() -> None:
    waits = [row("run.accepted", expires_at=None), row("run.waiting", expires_at=None)]

    assert why_lost(waits, NOW + timedelta(days=9), NOW + timedelta(days=9)) is None


def test_a_ledger_that_is_behind_says_nothing() -> None:
    assert why_lost([], LONG_PAST, NOW + QUIET_FOR) is None


@pytest.mark.parametrize("body", ["garbage", "[]", '"text"', '{"expires_at": "2023-06-01"}', "{}"])
def test_what_strangers_write_into_its_ledger_does_no_harm(body: str) -> None:
    rows = [*RELEASED, {"type": "order.changed", "timestamp": NOW, "body": body}]

    assert why_lost(rows, LONG_PAST, NOW + QUIET_FOR) is not None
