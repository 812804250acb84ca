from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.signals.checks import check
from services.signals.rules import RULES, cast_votes, vote
from shared.events.evidence import Evidence, Indicators
from shared.events.signal import Action
from tests.unit.signals.builders import (
    a_quote,
    evidence,
    indicators,
    limits,
    rules_strategy,
    unknown_indicators,
)

RISING = indicators(high_20="99.50", volume_ratio_20="1.5")
FALLING = indicators(
    sma_20="102.00",
    sma_50="105.00",
    sma_200="110.00",
    rsi_14="40",
    macd_histogram="-0.30",
    low_20="100.50",
    high_20="107.00",
    change_5d_percent="-1.50",
    volume_ratio_20="1.5",
)


def mirrored(facts: Evidence) -> Evidence:
    """The same market upside down, around 100."""
    i, q = facts.indicators, facts.quote

    def flip(price: Decimal | None) -> Decimal | None:
        return None if price is None else 200 - price

    def negate(value: Decimal | None) -> Decimal | None:
        return None if value is None else -value

    return evidence(
        quote=a_quote(last=200 - q.last, bid=200 - q.ask, ask=200 - q.bid),
        indicators=indicators(
            sma_20=flip(i.sma_20),
            sma_50=flip(i.sma_50),
            sma_200=flip(i.sma_200),
            rsi_14=None if i.rsi_14 is None else 100 - i.rsi_14,
            macd_histogram=negate(i.macd_histogram),
            atr_14=i.atr_14,
            high_20=flip(i.low_20),
            low_20=flip(i.high_20),
            change_5d_percent=negate(i.change_5d_percent),
            volume_ratio_20=i.volume_ratio_20,
        ),
    )


def test_when_all_rules_agree_on_a_rise_they_buy() -> None:
    found = vote(evidence(indicators=RISING))

    assert (found.action, found.confidence) == (Action.BUY, 1.0)
    assert (found.stop_loss, found.take_profit) == (Decimal("97.01"), Decimal("106.01"))
    assert len(found.reasons) == len(RULES)


def test_when_all_rules_agree_on_a_fall_they_sell_and_the_sell_passes() -> None:
    facts = evidence(indicators=FALLING)
    found = vote(facts)

    assert (found.action, found.confidence) == (Action.SELL, 1.0)
    assert (found.stop_loss, found.take_profit) == (Decimal("102.99"), Decimal("93.99"))
    assert all(c.passed for c in check(found, facts, rules_strategy(), limits(), "rules"))


def test_each_reason_names_its_numbers() -> None:
    assert vote(evidence(indicators=RISING)).reasons == (
        "BUY: last 100.00 is above SMA 50 95.00",
        "BUY: last 100.00 is above SMA 200 90.00",
        "BUY: SMA 20 98.00 is above SMA 50 95.00",
        "BUY: MACD histogram 0.3000 is above zero",
        "BUY: RSI 14 60.0 is between 55 and 75",
        "BUY: last 100.00 is above the 20-day high 99.50",
        "BUY: change of 1.50 % over 5 days on 1.50 times the average volume",
    )


def test_confidence_is_the_share_of_votes_that_agree() -> None:
    found = vote(evidence(indicators=indicators(macd_histogram="-0.30")))

    assert (found.action, found.confidence) == (Action.BUY, 0.8)


def test_votes_that_disagree_hold() -> None:
    split = indicators(macd_histogram="-0.30", rsi_14="40")
    found = vote(evidence(indicators=split))

    assert found.action is Action.HOLD
    assert found.reasons[0] == "the votes disagree: 60% agree, at least 67% must"


def test_missing_indicators_cast_no_vote() -> None:
    assert cast_votes(evidence(indicators=unknown_indicators())) == ()


def test_too_few_votes_hold() -> None:
    found = vote(evidence(indicators=unknown_indicators(sma_50="95", sma_200="90", atr_14="2")))

    assert found.action is Action.HOLD
    assert found.reasons[0] == "2 of 7 rules vote, at least 4 must"


def test_without_a_range_there_are_no_levels_and_no_trade() -> None:
    found = vote(evidence(indicators=indicators(atr_14=None)))

    assert (found.action, found.stop_loss, found.take_profit) == (Action.HOLD, None, None)
    assert found.reasons[0] == "no average true range to set levels by"


def test_zero_and_equal_say_nothing() -> None:
    flat = indicators(
        sma_20="100",
        sma_50="100",
        sma_200="100",
        macd_histogram="0",
        change_5d_percent="0",
        volume_ratio_20="2",
    )

    assert [v.why for v in cast_votes(evidence(indicators=flat))] == [
        "RSI 14 60.0 is between 55 and 75"
    ]


def test_a_stretched_move_is_no_vote() -> None:
    votes = cast_votes(evidence(indicators=unknown_indicators(rsi_14="80")))

    assert votes == ()


def test_levels_lie_on_the_tick() -> None:
    found = vote(evidence(indicators=indicators(atr_14="2.0033")))

    assert found.stop_loss == Decimal("97.01")
    assert found.take_profit == Decimal("106.02")


def some(low: int, high: int) -> Any:
    return st.none() | st.decimals(low, high, places=2)


market = st.builds(
    indicators,
    sma_20=some(80, 120),
    sma_50=some(80, 120),
    sma_200=some(80, 120),
    rsi_14=some(0, 100),
    macd_histogram=some(-2, 2),
    atr_14=some(0, 5),
    high_20=some(95, 120),
    low_20=some(80, 105),
    change_5d_percent=some(-9, 9),
    volume_ratio_20=some(0, 3),
)
OPPOSITE = {Action.BUY: Action.SELL, Action.SELL: Action.BUY, Action.HOLD: Action.HOLD}


@given(market)
def test_a_market_upside_down_is_voted_upside_down(values: Indicators) -> None:
    # A market whose 20-day low is above its high is none.
    if values.high_20 is not None and values.low_20 is not None and values.low_20 > values.high_20:
        return
    facts = evidence(indicators=values)
    up, down = vote(facts), vote(mirrored(facts))

    assert down.action is OPPOSITE[up.action]
    assert down.confidence == up.confidence


@given(market)
def test_levels_of_the_rules_pass_the_checks_of_levels(values: Indicators) -> None:
    facts = evidence(indicators=values)
    found = vote(facts)

    if found.action is not Action.HOLD and values.atr_14 is not None and values.atr_14 >= 1:
        failed = {
            c.name for c in check(found, facts, rules_strategy(), limits(), "rules") if not c.passed
        }
        assert failed <= {"confidence"}
