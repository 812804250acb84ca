from datetime import UTC, datetime, timedelta
from typing import Any

from cli.look import broker_lines, market_lines
from cli.strategy import strategy_lines
from tests.unit.cli.builders import BELL, CLOSE, CONTEXT, plain

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


def market(now: datetime) -> str:
    session = {"exchange": "XNYS", "state": "open", "valid_until": CLOSE.isoformat()}
    return plain(market_lines({"market_time": now.isoformat(), "sessions": [session]}))


def broker(vouched_for: timedelta, **changes: Any) -> str:
    found = {
        "state": "ready",
        "since": NOW.isoformat(),
        "why": "authenticated",
        "valid_until": (NOW + vouched_for).isoformat(),
        "accounts": ["DU1"],
        "paper": True,
        "simulated": False,
    }
    return plain(broker_lines(found | changes, NOW))


def test_an_open_market_says_until_when() -> None:
    assert "XNYS is open until Mon 2023-06-05 16:00:00 New York" in market(BELL)


def test_a_session_past_its_bell_is_unknown() -> None:
    assert "XNYS is unknown: the clock has not told" in market(CLOSE)


def test_a_market_that_nobody_told_of_is_said_so() -> None:
    found = {"market_time": BELL.isoformat(), "sessions": []}

    assert plain(market_lines(found)).endswith("no exchange is known yet")


def test_a_broker_session_tells_state_reason_and_accounts() -> None:
    text = broker(timedelta(seconds=9))

    assert "broker session is ready: authenticated" in text
    assert "accounts DU1 (paper)" in text


def test_a_broker_session_that_nobody_vouches_for_is_unknown() -> None:
    text = broker(timedelta(seconds=-9))

    assert "broker session is unknown" in text
    assert "it was ready, and nothing was heard for 9.00 s past due" in text


def test_an_account_that_is_neither_paper_nor_simulated_is_live() -> None:
    assert "accounts DU1 (live)" in broker(timedelta(seconds=9), paper=False)


def test_a_strategy_shows_what_is_set() -> None:
    text = plain(strategy_lines(CONTEXT.strategy.model_dump(mode="json")))

    assert "symbols        TSLA, NVDA" in text
    assert "account" not in text
