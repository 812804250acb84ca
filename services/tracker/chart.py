"""The price chart of a symbol as SVG text: daily candles, the quote, and the levels. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from xml.sax.saxutils import escape

from shared.events.evidence import Bar
from shared.story import SymbolStory

_BARS: Final = 90
_WIDTH, _HEIGHT = 960, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 16, 150, 40, 28
_UP, _DOWN = "#2a8f5b", "#c0392b"


@dataclass(frozen=True)
class Level:
    """A price that matters, as a line across."""

    name: str
    price: Decimal
    colour: str


@dataclass(frozen=True)
class _Scale:
    low: float
    high: float
    count: int

    def x(self, place: float) -> float:
        return _LEFT + (place + 0.5) * (_WIDTH - _LEFT - _RIGHT) / self.count

    def y(self, price: Decimal) -> float:
        share = (float(price) - self.low) / (self.high - self.low)
        return _HEIGHT - _BOTTOM - share * (_HEIGHT - _TOP - _BOTTOM)


def chart(symbol: SymbolStory) -> str | None:
    """Return the drawing; None where there are no bars."""
    if symbol.evidence is None or not symbol.evidence.evidence.bars:
        return None
    bars = symbol.evidence.evidence.bars[-_BARS:]
    levels = list(_levels(symbol))
    scale = _scale(bars, levels)
    marks = [_candle(scale, place, bar) for place, bar in enumerate(bars)]
    marks += [_line(scale, level) for level in levels]
    marks += [_text(_LEFT, 22, _title(symbol, bars), size=15)]
    marks += [_text(_LEFT, _HEIGHT - 8, f"{bars[0].date} to {bars[-1].date}, daily")]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'width="{_WIDTH}" height="{_HEIGHT}" font-family="sans-serif">'
        f'<rect width="100%" height="100%" fill="white"/>{"".join(marks)}</svg>\n'
    )


def _levels(symbol: SymbolStory) -> Iterable[Level]:
    if symbol.evidence is not None:
        yield Level("last", symbol.evidence.evidence.quote.last, "#1f5fbf")
    proposal = symbol.signal.proposal if symbol.signal else None
    if proposal is not None and proposal.stop_loss is not None:
        yield Level("stop loss", proposal.stop_loss, _DOWN)
    if proposal is not None and proposal.take_profit is not None:
        yield Level("take profit", proposal.take_profit, _UP)
    if symbol.closing is not None and symbol.closing.fill is not None:
        yield Level("fill", symbol.closing.fill.price, "#555")


def _scale(bars: Sequence[Bar], levels: Sequence[Level]) -> _Scale:
    """Return a scale of the bars; a level far off them does not squeeze them."""
    low, high = min(bar.low for bar in bars), max(bar.high for bar in bars)
    reach = max(high - low, Decimal("0.01"))
    near = [v.price for v in levels if low - reach < v.price < high + reach]
    return _Scale(float(min([low, *near])), float(max([high, low + reach, *near])), len(bars))


def _candle(scale: _Scale, place: int, bar: Bar) -> str:
    x, colour = scale.x(place), _UP if bar.close >= bar.open else _DOWN
    top, bottom = scale.y(max(bar.open, bar.close)), scale.y(min(bar.open, bar.close))
    width = 0.6 * (scale.x(1) - scale.x(0))
    return (
        f'<path d="M{x:.1f} {scale.y(bar.high):.1f}V{scale.y(bar.low):.1f}" stroke="{colour}"/>'
        f'<rect x="{x - width / 2:.1f}" y="{top:.1f}" width="{width:.1f}" '
        f'height="{max(bottom - top, 1):.1f}" fill="{colour}"/>'
    )


def _line(scale: _Scale, level: Level) -> str:
    # A level that is off the chart stands at its edge.
    y = max(_TOP, min(scale.y(level.price), _HEIGHT - _BOTTOM))
    end = _WIDTH - _RIGHT
    return (
        f'<path d="M{_LEFT} {y:.1f}H{end}" stroke="{level.colour}" stroke-dasharray="5 3"/>'
        + _text(end + 6, y + 4, f"{level.name} {level.price:.2f}", colour=level.colour)
    )


def _title(symbol: SymbolStory, bars: Sequence[Bar]) -> str:
    words = [symbol.symbol, f"{len(bars)} days"]
    if symbol.signal is not None:
        words.append(f"{symbol.signal.action} ({symbol.signal.source})")
    if (outcome := symbol.outcome) is not None:
        words.append(outcome)
    return ", ".join(words)


def _text(x: float, y: float, words: str, *, size: int = 12, colour: str = "#222") -> str:
    return f'<text x="{x}" y="{y:.1f}" font-size="{size}" fill="{colour}">{escape(words)}</text>'
