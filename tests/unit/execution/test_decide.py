from datetime import timedelta
from decimal import Decimal

import pytest

from services.execution.account import UNRESOLVED, account_of
from services.execution.decide import Decision, decide
from shared.events.base import Mode
from shared.events.order import AccountSnapshot, OrderState, Switch
from shared.events.run import Outcome
from shared.events.signal import Action, SignalChecked
from tests.unit.execution.builders import (
    CLOSE,
    NOW,
    a_quote,
    a_signal,
    an_account,
    limits,
    running,
    strategy,
)


def decided(signal: SignalChecked, account: AccountSnapshot | None = None) -> Decision:
    return decide(signal, an_account() if account is None else account, running(), NOW)


def test_a_buy_that_passes_is_simulated_and_says_so() -> None:
    decision = decided(a_signal())

    assert (decision.state, decision.outcome) == (OrderState.SIMULATED, Outcome.SIMULATED)
    assert decision.fill is not None
    assert decision.fill.simulated
    assert (decision.fill.price, decision.fill.quantity) == (Decimal(100), Decimal(100))
    assert "BUY 100 TSLA at 100, simulated" in decision.reason


def test_a_hold_carries_the_code_and_the_reason_of_its_signal() -> None:
    signal = a_signal(Action.HOLD, code="stop_above_price", reason="the stop is above the price")

    decision = decided(signal)

    assert (decision.outcome, decision.code) == (Outcome.HELD, "stop_above_price")
    assert decision.reason == "the stop is above the price"
    assert (decision.order, decision.fill) == (None, None)


def test_what_risk_refuses_is_declined_without_order_or_fill() -> None:
    decision = decided(a_signal(confidence=0.2))

    assert (decision.outcome, decision.code) == (Outcome.DECLINED, "low_confidence")
    assert (decision.order, decision.fill) == (None, None)


def test_a_run_that_is_over_is_expired_and_not_declined() -> None:
    decision = decided(a_signal(expires_at=NOW - timedelta(seconds=1)))

    assert (decision.outcome, decision.code) == (Outcome.EXPIRED, "expired")


@pytest.mark.parametrize("mode", [Mode.PAPER, Mode.LIVE])
@pytest.mark.parametrize("account", [None, an_account()])
def test_only_a_dry_run_orders_anything(mode: Mode, account: AccountSnapshot | None) -> None:
    signal = a_signal(mode=mode, strategy=strategy(modes=(mode,)))

    decision = decide(signal, account, running(), NOW)

    assert (decision.outcome, decision.code) == (Outcome.DECLINED, "mode_unavailable")
    assert (decision.order, decision.fill) == (None, None)
    assert "use dry_run" in decision.reason


@pytest.mark.parametrize("action", [Action.BUY, Action.SELL])
def test_the_hash_knows_no_ids_and_no_clocks(action: Action) -> None:
    account = an_account(TSLA=(40, 120))
    later = a_signal(
        action,
        run_id="another",
        occurred_at=NOW + timedelta(days=1),
        expires_at=NOW + timedelta(minutes=31),
        session_close=CLOSE + timedelta(hours=1),
        quote=a_quote(at=NOW - timedelta(seconds=3)),
        strategy=strategy(id=7, name="another"),
    )

    again = decide(later, account, running(of=7), NOW + timedelta(seconds=1))
    assert again.outcome is Outcome.SIMULATED
    assert again.decision_hash == decided(a_signal(action), account).decision_hash


def test_the_hash_knows_no_words_of_a_halt() -> None:
    halted = [
        decide(a_signal(), an_account(), (Switch(scope="deployment", halted=True, why=why),), NOW)
        for why in ("halted by ann: earnings", "unknown: Kafka is away")
    ]

    assert halted[0].reason != halted[1].reason
    assert halted[0].decision_hash == halted[1].decision_hash


def test_the_hash_does_not_depend_on_which_symbol_of_a_run_came_first() -> None:
    first, second = an_account(), an_account(cash=91_000, NVDA=(30, 300))

    assert decided(a_signal(), second).decision_hash == decided(a_signal(), first).decision_hash


@pytest.mark.parametrize(
    ("signal", "account"),
    [
        (a_signal(limits=limits(max_order_notional=10_001)), an_account()),
        (a_signal(limits=limits(max_position_notional=25_001)), an_account()),
        (a_signal(limits=limits(max_gross_exposure=80_001)), an_account()),
        (a_signal(limits=limits(max_spread_percent="0.6")), an_account()),
        (a_signal(limits=limits(min_confidence=0.75)), an_account()),
        (a_signal(confidence=0.81), an_account()),
        (a_signal(strategy=strategy(modes=(Mode.DRY_RUN,))), an_account()),
        (a_signal(quote=a_quote(bid="99.96")), an_account()),
        (a_signal(atr=Decimal("5.01")), an_account()),
        (a_signal(stop_loss="92.4"), an_account()),
        (a_signal(), an_account(TSLA=(1, 100))),
    ],
)
def test_the_hash_knows_what_each_check_asked_for_and_found(
    signal: SignalChecked, account: AccountSnapshot
) -> None:
    decision, other = decided(signal, account), decided(a_signal())

    assert (decision.order, decision.code) == (other.order, other.code)
    assert decision.decision_hash != other.decision_hash


def test_a_reason_is_as_long_as_the_event_keeps_it() -> None:
    halt = (Switch(scope="deployment", halted=True, why="x" * 5_000),)

    assert len(decide(a_signal(), an_account(), halt, NOW).reason) == 2_000


@pytest.mark.parametrize(
    "other",
    [
        a_signal(signal_hash="6" * 64),
        a_signal(atr=Decimal(50)),
        a_signal(confidence=0.1),
        a_signal(quote=a_quote(ask="100.01")),
        a_signal(Action.HOLD),
    ],
)
def test_the_hash_changes_with_what_was_decided(other: SignalChecked) -> None:
    assert decided(other).decision_hash != decided(a_signal()).decision_hash


def test_a_decision_is_the_same_when_retold_from_the_log() -> None:
    signal, account = a_signal(), an_account(NVDA=(10, 300))

    retold = decide(
        SignalChecked.model_validate_json(signal.model_dump_json()),
        AccountSnapshot.model_validate_json(account.model_dump_json()),
        running(),
        NOW,
    )

    assert retold == decided(signal, account)


def test_a_dry_run_has_a_book_of_its_own_per_strategy_whatever_account_it_names() -> None:
    assert account_of(a_signal(account="U7654321", strategy=strategy(id=7))) == "dry:7"


def test_another_account_is_the_runs_then_the_strategys_then_the_only_one() -> None:
    of_strategy = strategy(account="DU2")

    assert account_of(a_signal(mode=Mode.PAPER, account="DU1", strategy=of_strategy)) == "DU1"
    assert account_of(a_signal(mode=Mode.PAPER, strategy=of_strategy)) == "DU2"
    assert account_of(a_signal(mode=Mode.PAPER, accounts=("DU3",))) == "DU3"
    assert account_of(a_signal(mode=Mode.PAPER, accounts=("DU3", "DU4"))) == UNRESOLVED
    assert account_of(a_signal(mode=Mode.PAPER, accounts=())) == UNRESOLVED
