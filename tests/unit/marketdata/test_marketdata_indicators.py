"""Indicators against their plain definitions."""

from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.marketdata.indicators import indicators
from tests.unit.marketdata.market_facts import bars_of_closes

NAMES = tuple(type(indicators(())).model_fields)
WAVE = [100 + (n * 7919 % 23) / 4 + n / 10 for n in range(260)]
TOLERANCE = 2e-6


def test_no_bars_are_no_indicators() -> None:
    assert all(getattr(indicators(()), name) is None for name in NAMES)


@pytest.mark.parametrize(
    ("name", "fewest"),
    [
        ("sma_20", 20),
        ("sma_50", 50),
        ("sma_200", 200),
        ("rsi_14", 15),
        ("macd", 34),
        ("macd_signal", 34),
        ("macd_histogram", 34),
        ("atr_14", 15),
        ("bollinger_upper", 20),
        ("bollinger_lower", 20),
        ("high_20", 20),
        ("low_20", 20),
        ("change_5d_percent", 6),
        ("volume_ratio_20", 21),
    ],
)
def test_an_indicator_is_none_until_it_has_all_its_bars(name: str, fewest: int) -> None:
    assert getattr(indicators(bars_of_closes(WAVE[: fewest - 1])), name) is None
    assert getattr(indicators(bars_of_closes(WAVE[:fewest])), name) is not None


def test_every_indicator_has_its_case_above() -> None:
    assert len(NAMES) == 14


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(200, 90_000).map(lambda cents: cents / 100), min_size=21, max_size=80))
def test_they_follow_their_definitions(closes: list[float]) -> None:
    found = indicators(bars_of_closes(closes))
    newest = closes[-20:]
    mean = sum(newest) / 20
    deviation = (sum((c - mean) ** 2 for c in newest) / 20) ** 0.5
    assert float(found.sma_20 or 0) == pytest.approx(mean, abs=TOLERANCE)
    assert float(found.bollinger_upper or 0) == pytest.approx(mean + 2 * deviation, abs=1e-3)
    assert float(found.high_20 or 0) == pytest.approx(max(newest) + 1, abs=TOLERANCE)
    assert float(found.low_20 or 0) == pytest.approx(min(newest) - 1, abs=TOLERANCE)
    change = (closes[-1] / closes[-6] - 1) * 100
    assert float(found.change_5d_percent or 0) == pytest.approx(change, abs=TOLERANCE)
    assert found.rsi_14 is not None
    assert 0 <= found.rsi_14 <= 100


def test_wilders_average_true_range_is_smoothed_over_fourteen() -> None:
    steady = indicators(bars_of_closes([100.0] * 60))
    assert steady.atr_14 == Decimal(2)


def test_volume_is_compared_with_the_twenty_days_before() -> None:
    bars = bars_of_closes(WAVE[:40])
    expected = 1039 / (sum(range(1019, 1039)) / 20)
    ratio = indicators(bars).volume_ratio_20
    assert float(ratio or 0) == pytest.approx(expected, abs=TOLERANCE)
    silent = [bar.model_copy(update={"volume": Decimal(0)}) for bar in bars]
    assert indicators(silent).volume_ratio_20 is None


def test_sma_200_is_of_two_hundred_bars_however_many_there_are() -> None:
    found = indicators(bars_of_closes(WAVE)).sma_200
    assert float(found or 0) == pytest.approx(sum(WAVE[-200:]) / 200, abs=TOLERANCE)


def test_the_same_bars_give_the_same_digits_six_of_them() -> None:
    first, second = (indicators(bars_of_closes(WAVE)) for _ in range(2))
    assert first.model_dump_json() == second.model_dump_json()
    assert {getattr(first, name).as_tuple().exponent for name in NAMES} == {-6}
