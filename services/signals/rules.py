"""A proposal by votes of fixed rules: no model, the same evidence, the same checks after it.

Each rule votes BUY, SELL or not at all; every rule is symmetric, so that a SELL needs no more than
a BUY. The stop is 1.5 ATR from the entry, the target 3 ATR.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from services.signals.checks import entry_price
from shared.events.evidence import Evidence
from shared.events.signal import Action, Proposal

STOP_ATR: Final = Decimal("1.5")
TARGET_ATR: Final = Decimal(3)
FEWEST_VOTES: Final = 4
MAJORITY: Final = Decimal(2) / 3
# The momentum bands of the RSI; beyond them a move is stretched, and the rule does not vote.
RSI_UP: Final = (Decimal(55), Decimal(75))
RSI_DOWN: Final = (Decimal(25), Decimal(45))
HIGH_VOLUME: Final = Decimal("1.2")


@dataclass(frozen=True)
class Vote:
    """What one rule says and the numbers it rests on."""

    action: Action
    why: str


def vote(evidence: Evidence) -> Proposal:
    """Return what the votes propose; HOLD where they are too few, disagree, or no ATR is known."""
    votes = cast_votes(evidence)
    side, share = _leading(votes)
    why_not = _why_not(votes, share, evidence.indicators.atr_14)
    reasons = tuple(f"{v.action}: {v.why}" for v in votes)
    confidence = round(float(share), 4)
    if side is None or why_not is not None:
        held = why_not or "the votes are equal"
        return Proposal(action=Action.HOLD, confidence=confidence, reasons=(held, *reasons))
    stop, target = _levels(side, evidence)
    return Proposal(
        action=side, confidence=confidence, stop_loss=stop, take_profit=target, reasons=reasons
    )


def cast_votes(evidence: Evidence) -> tuple[Vote, ...]:
    """Return the votes cast. A rule whose numbers are missing or say nothing casts none."""
    votes = (rule(evidence) for rule in RULES)
    return tuple(v for v in votes if v is not None)


def _leading(votes: tuple[Vote, ...]) -> tuple[Action | None, Decimal]:
    """Return the side with more votes, None where equal, and its share of those cast."""
    if not votes:
        return None, Decimal(0)
    buys = sum(v.action is Action.BUY for v in votes)
    sells = len(votes) - buys
    side = Action.BUY if buys > sells else Action.SELL if sells > buys else None
    return side, Decimal(max(buys, sells)) / len(votes)


def _why_not(votes: tuple[Vote, ...], share: Decimal, atr: Decimal | None) -> str | None:
    if len(votes) < FEWEST_VOTES:
        return f"{len(votes)} of {len(RULES)} rules vote, at least {FEWEST_VOTES} must"
    if share < MAJORITY:
        return f"the votes disagree: {share:.0%} agree, at least {MAJORITY:.0%} must"
    if atr is None or atr <= 0:
        return "no average true range to set levels by"
    return None


def _levels(side: Action, evidence: Evidence) -> tuple[Decimal, Decimal]:
    atr = evidence.indicators.atr_14
    assert atr is not None  # noqa: S101  # _why_not holds without one
    entry, tick = entry_price(side, evidence), evidence.contract.tick
    sign = 1 if side is Action.BUY else -1
    stop, target = entry - sign * STOP_ATR * atr, entry + sign * TARGET_ATR * atr
    return _on_tick(stop, tick), _on_tick(target, tick)


def _on_tick(price: Decimal, tick: Decimal) -> Decimal:
    return (price / tick).quantize(Decimal(1)) * tick


def _compare(name: str, left: Decimal, other: str, right: Decimal | None) -> Vote | None:
    if right is None or left == right:
        return None
    above = left > right
    why = f"{name} {left:.2f} is {'above' if above else 'below'} {other} {right:.2f}"
    return Vote(Action.BUY if above else Action.SELL, why)


def _last_to_sma_50(evidence: Evidence) -> Vote | None:
    return _compare("last", evidence.quote.last, "SMA 50", evidence.indicators.sma_50)


def _last_to_sma_200(evidence: Evidence) -> Vote | None:
    return _compare("last", evidence.quote.last, "SMA 200", evidence.indicators.sma_200)


def _sma_20_to_50(evidence: Evidence) -> Vote | None:
    short = evidence.indicators.sma_20
    return (
        None if short is None else _compare("SMA 20", short, "SMA 50", evidence.indicators.sma_50)
    )


def _macd(evidence: Evidence) -> Vote | None:
    histogram = evidence.indicators.macd_histogram
    if histogram is None or histogram == 0:
        return None
    why = f"MACD histogram {histogram:.4f} is {'above' if histogram > 0 else 'below'} zero"
    return Vote(Action.BUY if histogram > 0 else Action.SELL, why)


def _rsi(evidence: Evidence) -> Vote | None:
    rsi = evidence.indicators.rsi_14
    if rsi is None:
        return None
    for action, (low, high) in ((Action.BUY, RSI_UP), (Action.SELL, RSI_DOWN)):
        if low <= rsi <= high:
            return Vote(action, f"RSI 14 {rsi:.1f} is between {low} and {high}")
    return None


def _breakout(evidence: Evidence) -> Vote | None:
    last, high, low = (
        evidence.quote.last,
        evidence.indicators.high_20,
        evidence.indicators.low_20,
    )
    if high is not None and last > high:
        return Vote(Action.BUY, f"last {last:.2f} is above the 20-day high {high:.2f}")
    if low is not None and last < low:
        return Vote(Action.SELL, f"last {last:.2f} is below the 20-day low {low:.2f}")
    return None


def _volume(evidence: Evidence) -> Vote | None:
    """High volume confirms the direction of the last five days."""
    ratio, change = evidence.indicators.volume_ratio_20, evidence.indicators.change_5d_percent
    if ratio is None or change is None or ratio < HIGH_VOLUME or change == 0:
        return None
    why = f"change of {change:.2f} % over 5 days on {ratio:.2f} times the average volume"
    return Vote(Action.BUY if change > 0 else Action.SELL, why)


RULES: Final[tuple[Callable[[Evidence], Vote | None], ...]] = (
    _last_to_sma_50,
    _last_to_sma_200,
    _sma_20_to_50,
    _macd,
    _rsi,
    _breakout,
    _volume,
)
