from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.signals.checks import MIN_REWARD_RISK, check
from shared.events.base import Check
from shared.events.run import Limits, Strategy
from shared.events.signal import Proposal
from tests.unit.signals.builders import (
    a_buy,
    a_hold,
    a_sell,
    a_strategy,
    evidence,
    indicators,
    limits,
    rules_strategy,
)


def checked(proposal: Proposal, **facts: Any) -> dict[str, Check]:
    strategy: Strategy = facts.pop("strategy", a_strategy())
    limit: Limits = facts.pop("limits", limits())
    source = facts.pop("source", "llm")
    return {c.name: c for c in check(proposal, evidence(**facts), strategy, limit, source)}


def failed(proposal: Proposal, **facts: Any) -> set[str]:
    return {name for name, c in checked(proposal, **facts).items() if not c.passed}


@pytest.mark.parametrize("proposal", [a_buy(), a_sell(), a_hold()])
def test_a_sound_proposal_passes_every_check(proposal: Proposal) -> None:
    assert failed(proposal) == set()


def test_to_hold_takes_neither_confidence_nor_levels() -> None:
    assert set(checked(a_hold(confidence=0))) == {"source"}


def test_the_higher_of_both_confidences_is_required() -> None:
    assert failed(a_buy(confidence=0.7)) == set()
    assert failed(a_buy(confidence=0.69)) == {"confidence"}
    assert failed(a_buy(), strategy=a_strategy(min_confidence=0.81)) == {"confidence"}
    assert failed(a_buy(), limits=limits(min_confidence=0.81)) == {"confidence"}


def test_votes_never_stand_in_for_a_model_nor_a_model_for_votes() -> None:
    assert failed(a_buy(), source="rules") == {"source"}
    assert failed(a_buy(), strategy=rules_strategy(), source="llm") == {"source"}


@pytest.mark.parametrize("missing", ["stop_loss", "take_profit"])
def test_both_levels_are_needed_to_trade(missing: str) -> None:
    found = checked(a_buy(**{missing: None}))

    assert set(found) == {"source", "confidence", "levels"}
    assert not found["levels"].passed
    assert f"{missing} none" in found["levels"].found


def test_levels_of_the_wrong_side_fail() -> None:
    swapped = {"stop_loss": "106.00", "take_profit": "97.00"}

    assert failed(a_buy(**swapped)) == {"stop_loss", "take_profit", "reward_risk"}
    assert failed(a_sell(stop_loss="94.00", take_profit="103.00")) == {
        "stop_loss",
        "take_profit",
        "reward_risk",
    }


def test_a_buy_is_measured_from_the_ask_and_a_sell_from_the_bid() -> None:
    assert checked(a_buy())["stop_loss"].required == "below 100.01"
    assert checked(a_sell())["stop_loss"].required == "above 99.99"


def test_a_level_at_the_quote_itself_fails() -> None:
    assert "stop_loss" in failed(a_buy(stop_loss="100.01"))
    assert "take_profit" in failed(a_sell(take_profit="99.99"))


def test_a_stop_at_one_dollar_for_a_stock_at_a_hundred_fails() -> None:
    found = checked(a_buy(stop_loss="1.00"))

    assert not found["stop_loss_distance"].passed
    assert found["stop_loss_distance"].found == "49.50 ATR, 99.00 %"


def test_a_stop_within_the_noise_fails() -> None:
    assert failed(a_buy(stop_loss="99.90")) == {"stop_loss_distance"}


def test_a_target_thirty_percent_away_fails_however_large_the_range() -> None:
    wild = indicators(atr_14="20")

    assert failed(a_buy(stop_loss="90.00", take_profit="130.02"), indicators=wild) == {
        "take_profit_distance"
    }


@pytest.mark.parametrize("atr", [None, "0"])
def test_without_a_range_no_distance_is_sane(atr: str | None) -> None:
    found = failed(a_buy(), indicators=indicators(atr_14=atr))

    assert found == {"stop_loss_distance", "take_profit_distance"}


def test_the_reward_must_be_one_and_a_half_times_the_risk_in_code_too() -> None:
    assert failed(a_buy(stop_loss="98.01", take_profit="103.01")) == set()
    assert failed(a_buy(stop_loss="98.01", take_profit="103.00")) == {"reward_risk"}
    assert failed(a_sell(stop_loss="101.99", take_profit="97.00")) == {"reward_risk"}


prices = st.decimals("60", "140", places=2)


@given(st.sampled_from([a_buy, a_sell]), prices, prices)
def test_what_passes_risks_less_than_it_may_win(made: Any, stop: Decimal, target: Decimal) -> None:
    if not failed(made(stop_loss=stop, take_profit=target)):
        entry = Decimal("100.01") if made is a_buy else Decimal("99.99")
        reward, risk = abs(target - entry), abs(entry - stop)
        assert min(stop, target) < entry < max(stop, target)
        assert (stop < target) == (made is a_buy)
        assert reward >= MIN_REWARD_RISK * risk


@given(prices, prices)
def test_buy_and_sell_are_judged_alike(stop: Decimal, target: Decimal) -> None:
    mirrored = {"stop_loss": 200 - stop, "take_profit": 200 - target}

    assert failed(a_buy(stop_loss=stop, take_profit=target)) == failed(a_sell(**mirrored))
