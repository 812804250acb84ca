"""What code asks of every proposal, whoever made it: one that fails a check is never an order."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Final, Literal

from shared.events.base import Check
from shared.events.evidence import Evidence
from shared.events.run import Limits, Strategy
from shared.events.signal import Action, Proposal

MIN_REWARD_RISK: Final = Decimal("1.5")
MIN_DISTANCE_ATR: Final = Decimal("0.1")
MAX_DISTANCE_ATR: Final = Decimal(10)
MAX_DISTANCE_PERCENT: Final = Decimal(30)

Source = Literal["llm", "rules"]


def check(
    proposal: Proposal, evidence: Evidence, strategy: Strategy, limits: Limits, source: Source
) -> tuple[Check, ...]:
    """Return every check that can be decided. To hold needs no level and no confidence."""
    made_by = Check(
        name="source", passed=source == strategy.kind, required=strategy.kind, found=source
    )
    if proposal.action is Action.HOLD:
        return (made_by,)
    return (made_by, _confidence(proposal, strategy, limits), *_levels(proposal, evidence))


def entry_price(action: Action, evidence: Evidence) -> Decimal:
    """Return the price at which an order would trade at once: the ask to buy, the bid to sell."""
    return evidence.quote.ask if action is Action.BUY else evidence.quote.bid


def _confidence(proposal: Proposal, strategy: Strategy, limits: Limits) -> Check:
    required = max(strategy.min_confidence, limits.min_confidence)
    return Check(
        name="confidence",
        passed=proposal.confidence >= required,
        required=f"at least {required}",
        found=str(proposal.confidence),
    )


def _levels(proposal: Proposal, evidence: Evidence) -> Iterator[Check]:
    stop, target = proposal.stop_loss, proposal.take_profit
    yield Check(
        name="levels",
        passed=stop is not None and target is not None,
        required="stop_loss and take_profit",
        found=f"stop_loss {_or_none(stop)}, take_profit {_or_none(target)}",
    )
    if stop is None or target is None:
        return
    entry = entry_price(proposal.action, evidence)
    buys = proposal.action is Action.BUY
    yield _side("stop_loss", stop, entry, below=buys)
    yield _side("take_profit", target, entry, below=not buys)
    yield _distance("stop_loss_distance", stop, entry, evidence.indicators.atr_14)
    yield _distance("take_profit_distance", target, entry, evidence.indicators.atr_14)
    yield _reward_risk(stop, target, entry, sign=1 if buys else -1)


def _side(name: str, level: Decimal, entry: Decimal, *, below: bool) -> Check:
    return Check(
        name=name,
        passed=level < entry if below else level > entry,
        required=f"{'below' if below else 'above'} {entry}",
        found=str(level),
    )


def _distance(name: str, level: Decimal, entry: Decimal, atr: Decimal | None) -> Check:
    away = abs(level - entry)
    percent = away / entry * 100
    required = (
        f"{MIN_DISTANCE_ATR} to {MAX_DISTANCE_ATR} ATR and at most {MAX_DISTANCE_PERCENT} % "
        f"from {entry}"
    )
    if atr is None or atr <= 0:
        return Check(name=name, passed=False, required=required, found=f"ATR {_or_none(atr)}")
    return Check(
        name=name,
        passed=MIN_DISTANCE_ATR <= away / atr <= MAX_DISTANCE_ATR
        and percent <= MAX_DISTANCE_PERCENT,
        required=required,
        found=f"{away / atr:.2f} ATR, {percent:.2f} %",
    )


def _reward_risk(stop: Decimal, target: Decimal, entry: Decimal, *, sign: int) -> Check:
    reward, risk = sign * (target - entry), sign * (entry - stop)
    # A level on the wrong side is a loss, or no risk at all: neither makes a ratio.
    sane = reward > 0 and risk > 0
    return Check(
        name="reward_risk",
        passed=sane and reward / risk >= MIN_REWARD_RISK,
        required=f"reward at least {MIN_REWARD_RISK} times the risk",
        found=f"{reward / risk:.2f} times" if sane else f"reward {reward}, risk {risk}",
    )


def _or_none(value: Decimal | None) -> str:
    return "none" if value is None else str(value)
