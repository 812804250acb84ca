from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.execution.limits import within_limits
from services.execution.risk import CODES, Assessment, assess
from shared.events.base import Mode
from shared.events.order import AccountSnapshot, Order, Switch
from shared.events.signal import Action, SignalChecked
from tests.unit.execution.builders import (
    CLOSE,
    NOW,
    a_contract,
    a_quote,
    a_signal,
    an_account,
    limits,
    running,
    strategy,
)


def assessed(
    signal: SignalChecked,
    account: AccountSnapshot | None = None,
    switches: tuple[Switch, ...] | None = None,
    now: datetime = NOW,
) -> Assessment:
    return assess(
        signal,
        an_account() if account is None else account,
        running() if switches is None else switches,
        now,
    )


def failed(assessment: Assessment) -> list[str]:
    return [check.name for check in assessment.checks if not check.passed]


def test_a_buy_that_passes_is_a_limit_order_at_the_ask_with_every_check_shown() -> None:
    assessment = assessed(a_signal())

    assert assessment.order == Order(
        side="BUY", quantity=Decimal(100), order_type="LMT", limit_price=Decimal(100), tif="DAY"
    )
    assert [check.name for check in assessment.checks] == [
        "not_halted",
        "not_expired",
        "mode_allowed",
        "action",
        "confidence",
        "quote_age",
        "quote_not_from_the_future",
        "spread",
        "session",
        "currency",
        "atr",
        "stop_loss",
        "size",
        "order_notional",
        "position_notional",
        "gross_exposure",
        "cash",
    ]


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"expires_at": NOW}, "not_expired"),
        ({"expires_at": None}, "not_expired"),
        ({"strategy": strategy(modes=(Mode.PAPER,))}, "mode_allowed"),
        ({"action": Action.HOLD}, "action"),
        ({"confidence": 0.69}, "confidence"),
        ({"confidence": 0.8, "strategy": strategy(min_confidence=0.81)}, "confidence"),
        ({"confidence": 0.8, "limits": limits(min_confidence=0.81)}, "confidence"),
        ({"quote": a_quote(at=NOW - timedelta(seconds=15, microseconds=1))}, "quote_age"),
        ({"quote": a_quote(at=NOW + timedelta(milliseconds=1))}, "quote_not_from_the_future"),
        ({"quote": a_quote(bid="99.4", ask="100")}, "spread"),
        ({"quote": a_quote(bid="100.01", ask="100")}, "spread"),
        ({"session_close": NOW}, "session"),
        ({"contract": a_contract(currency="EUR")}, "currency"),
        ({"atr": None}, "atr"),
        ({"atr": Decimal(0)}, "atr"),
        ({"proposal": None}, "stop_loss"),
        ({"stop_loss": None}, "stop_loss"),
        ({"stop_loss": "0"}, "stop_loss"),
        ({"stop_loss": "-1"}, "stop_loss"),
        ({"stop_loss": "100"}, "stop_loss"),
        ({"quote": a_quote(bid="12000", ask="12000")}, "size"),
    ],
)
def test_each_condition_alone_refuses_and_says_what_it_found(
    changes: dict[str, Any], name: str
) -> None:
    assessment = assessed(a_signal(**changes))

    assert failed(assessment) == [name]
    assert assessment.order is None
    assert assessment.code == CODES[name]
    assert assessment.reason.startswith(f"{name}: required ")


@pytest.mark.parametrize(
    "changes",
    [
        {"confidence": 0.7},
        {"quote": a_quote(at=NOW - timedelta(seconds=15))},
        {"quote": a_quote(at=NOW)},
        {"quote": a_quote(bid="100", ask="100")},
        {"session_close": NOW + timedelta(microseconds=1)},
        {"expires_at": NOW + timedelta(microseconds=1)},
    ],
)
def test_what_is_just_within_a_limit_passes(changes: dict[str, Any]) -> None:
    assert failed(assessed(a_signal(**changes))) == []


@pytest.mark.parametrize("scope", ["deployment", "account:dry:1", "strategy:1"])
def test_the_kill_switch_is_read_at_each_of_its_scopes(scope: str) -> None:
    assessment = assessed(a_signal(), switches=running(scope))

    assert (assessment.order, assessment.code) == (None, "halted")
    assert f"{scope}: the operator says so" in assessment.reason


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_kill_switch_that_was_not_read_is_closed_and_not_open(missing: int) -> None:
    read = list(running())
    lost = read.pop(missing)

    assessment = assessed(a_signal(), switches=tuple(read))

    assert (assessment.order, assessment.code) == (None, "halted")
    assert f"{lost.scope}: state unknown" in assessment.reason


def test_the_switch_of_another_strategy_halts_nothing() -> None:
    other = Switch(scope="strategy:2", halted=True, why="another matter")

    assert failed(assessed(a_signal(), switches=(*running(), other))) == []


def test_all_that_failed_is_told_and_the_first_names_the_outcome() -> None:
    signal = a_signal(confidence=0.1, quote=a_quote(bid="90", ask="100"), session_close=NOW)

    assessment = assessed(signal, switches=running("deployment"))

    assert failed(assessment) == ["not_halted", "confidence", "spread", "session"]
    assert assessment.code == "halted"
    assert "confidence: required at least 0.7, found 0.1" in assessment.reason


def test_time_that_passes_after_the_signal_makes_it_too_late() -> None:
    assert failed(assessed(a_signal(), now=CLOSE)) == ["not_expired", "quote_age", "session"]


def test_nothing_is_sold_short() -> None:
    assessment = assessed(a_signal(Action.SELL), an_account(NVDA=(10, 300)))

    assert (assessment.order, assessment.code) == (None, "nothing_to_sell")


def test_a_sell_closes_what_is_held_at_the_bid() -> None:
    assessment = assessed(a_signal(Action.SELL, atr=None), an_account(TSLA=(40, 120)))

    assert assessment.order is not None
    assert (assessment.order.side, assessment.order.quantity) == ("SELL", Decimal(40))
    assert assessment.order.limit_price == Decimal("99.95")


def test_protections_never_block_an_exit() -> None:
    overdrawn = an_account(cash=-20_000, TSLA=(90, 900), NVDA=(500, 400))

    assert assessed(a_signal(Action.SELL), overdrawn).order is not None
    assert assessed(a_signal(Action.BUY), overdrawn).code == "too_small"


@pytest.mark.parametrize("bid", ["99.95", "12000"])
def test_an_exit_sells_all_that_is_held_whatever_one_order_may_cost(bid: str) -> None:
    tight = limits(max_order_notional=1)
    sell = a_signal(Action.SELL, limits=tight, quote=a_quote(bid=bid, ask=bid))

    assessment = assessed(sell, an_account(TSLA=(300, 100)))

    assert assessment.order is not None
    assert assessment.order.quantity == 300
    (closes,) = [c for c in assessment.checks if c.name == "no_short_position"]
    assert closes.required == "at most the 300 held; an exit has no limit in dollars"


def test_a_sell_needs_no_stop() -> None:
    sell = a_signal(Action.SELL, stop_loss=None)

    assert assessed(sell, an_account(TSLA=(40, 120))).order is not None


def test_a_buy_with_a_far_stop_is_smaller() -> None:
    near, far = assessed(a_signal(stop_loss="92.5")), assessed(a_signal(stop_loss="70"))

    assert near.order is not None
    assert far.order is not None
    # 1 % of 100,000 is 1,000, and a stop at 70 loses 30 a share.
    assert [near.order.quantity, far.order.quantity] == [100, 33]


def test_too_small_says_which_limit_bound() -> None:
    assessment = assessed(a_signal(), an_account(TSLA=(250, 100)))

    assert assessment.code == "too_small"
    assert "bound by max_position_notional" in assessment.reason


@pytest.mark.parametrize(
    ("side", "quantity", "account", "names"),
    [
        ("BUY", 101, an_account(), ["order_notional"]),
        ("BUY", 60, an_account(TSLA=(200, 1)), ["position_notional"]),
        ("BUY", 60, an_account(NVDA=(200, 375)), ["gross_exposure"]),
        ("BUY", 60, an_account(cash=5_999), ["cash"]),
        ("SELL", 41, an_account(TSLA=(40, 100)), ["no_short_position"]),
        ("BUY", 40, an_account(TSLA=(200, 390)), ["gross_exposure"]),
        ("BUY", 10, an_account(TSLA=(240, 1), NVDA=(140, 400)), ["gross_exposure"]),
        ("SELL", 200, an_account(TSLA=(200, 100)), []),
    ],
)
def test_an_order_that_sizing_got_wrong_is_still_stopped(
    side: Any, quantity: int, account: AccountSnapshot, names: list[str]
) -> None:
    order = Order(
        side=side,
        quantity=Decimal(quantity),
        order_type="LMT",
        limit_price=Decimal(100),
        tif="DAY",
    )

    checks = within_limits("TSLA", order, account, limits())

    assert [check.name for check in checks if not check.passed] == names
    assert all(name in CODES for name in names)
