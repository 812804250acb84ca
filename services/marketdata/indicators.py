"""Indicators of daily bars by TA-Lib. Pure, and the same bars give the same digits."""

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import talib
from numpy.typing import NDArray

from shared.events.evidence import Bar, Indicators

Series = NDArray[np.float64]
_DIGITS = Decimal("0.000001")


def indicators(bars: Sequence[Bar]) -> Indicators:
    """Return the indicators after the newest bar, six digits each; None where bars are too few.

    Simple moving averages over 20, 50 and 200 closes; Wilder's RSI and ATR over 14; MACD 12, 26, 9;
    Bollinger bands two deviations around SMA 20; highest high and lowest low of 20 days; change of
    the close over 5 days in percent; the newest volume over the average of the 20 before it.
    """
    high, low, close, volume = (_series(bars, name) for name in ("high", "low", "close", "volume"))
    macd, macd_signal, macd_histogram = talib.MACD(close, 12, 26, 9)
    upper, _, lower = talib.BBANDS(close, 20, 2, 2)
    return Indicators(
        sma_20=_newest(talib.SMA(close, 20)),
        sma_50=_newest(talib.SMA(close, 50)),
        sma_200=_newest(talib.SMA(close, 200)),
        rsi_14=_newest(talib.RSI(close, 14)),
        macd=_newest(macd),
        macd_signal=_newest(macd_signal),
        macd_histogram=_newest(macd_histogram),
        atr_14=_newest(talib.ATR(high, low, close, 14)),
        bollinger_upper=_newest(upper),
        bollinger_lower=_newest(lower),
        high_20=_newest(talib.MAX(high, 20)),
        low_20=_newest(talib.MIN(low, 20)),
        change_5d_percent=_newest(talib.ROC(close, 5)),
        volume_ratio_20=_ratio(volume[-1:], talib.SMA(volume[:-1], 20)),
    )


def _series(bars: Sequence[Bar], name: str) -> Series:
    return np.array([float(getattr(bar, name)) for bar in bars], dtype=np.float64)


def _newest(series: Series) -> Decimal | None:
    """Return the last value; TA-Lib fills with NaN what it has too few bars for."""
    if not len(series) or not np.isfinite(series[-1]):
        return None
    return Decimal(repr(float(series[-1]))).quantize(_DIGITS)


def _ratio(newest: Series, averages: Series) -> Decimal | None:
    if not len(newest) or not len(averages) or not averages[-1] > 0:
        return None
    return _newest(newest / averages[-1])
