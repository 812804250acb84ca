from datetime import timedelta
from decimal import Decimal

import pytest

from services.execution.account import UNRESOLVED, account_of
from services.execution.decide import Decision, decide
from shared.events.base import Mode
from shared.events.order import AccountSnapshot, OrderState
from shared.events.run import Outcome
from shared.events.signal import Action, SignalChecked
from tests.unit.execution.builders import NOW, a_quote, a_signal, an_account, running, strategy


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


def test_the_hash_knows_no_ids_and_no_clocks() -> None:
    signal = a_signal()
    later = a_signal(
        run_id="another",
        occurred_at=NOW + timedelta(days=1),
        expires_at=NOW + timedelta(minutes=31),
        quote=a_quote(at=NOW - timedelta(seconds=3)),
    )

    assert decided(later).decision_hash == decided(signal).decision_hash


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
