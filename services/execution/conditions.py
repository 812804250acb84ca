"""What must hold before there is an order: switches, time, strategy, quote, instrument. Pure."""

from datetime import datetime, timedelta
from decimal import Decimal

from services.execution.words import number
from shared.events.base import Check
from shared.events.evidence import Quote
from shared.events.order import Switch
from shared.events.run import Limits, Strategy
from shared.events.signal import Action, SignalChecked

CURRENCY = "USD"


def scopes(account: str, strategy_id: int) -> tuple[str, ...]:
    """Return the switches that concern an order."""
    return ("deployment", f"account:{account}", f"strategy:{strategy_id}")


def conditions(
    signal: SignalChecked, account: str, switches: tuple[Switch, ...], now: datetime
) -> tuple[Check, ...]:
    """Return all conditions in their fixed order. ``now`` is market time."""
    context, quote = signal.context, signal.quote
    return (
        _not_halted(scopes(account, context.strategy.id), switches),
        _not_expired(signal.expires_at, now),
        _mode_allowed(signal),
        _action(signal.action),
        _confidence(signal.confidence, context.strategy, context.limits),
        _quote_age(quote, context.limits, now),
        _quote_not_from_the_future(quote, now),
        _spread(quote, context.limits),
        _session(signal.session_close, now),
        _currency(signal.contract.currency),
    )


def _not_halted(needed: tuple[str, ...], switches: tuple[Switch, ...]) -> Check:
    # A switch that was not read counts as halted.
    read = {switch.scope: switch for switch in switches}
    unknown = [f"{scope}: state unknown" for scope in needed if scope not in read]
    halted = [s for s in needed if s in read and read[s].halted]
    halts = unknown + [f"{scope}: {read[scope].why}" for scope in halted]
    return Check(
        name="not_halted",
        passed=not halts,
        required=f"no halt of {', '.join(needed)}",
        found=f"halted, {'; '.join(halts)}" if halts else "running",
    )


def _not_expired(expires_at: datetime | None, now: datetime) -> Check:
    # A run without an expiry was never released by the clock.
    end = "an expiry" if expires_at is None else expires_at.isoformat()
    return Check(
        name="not_expired",
        passed=expires_at is not None and now < expires_at,
        required=f"before {end}",
        found="no expiry" if expires_at is None else now.isoformat(),
    )


def _mode_allowed(signal: SignalChecked) -> Check:
    strategy, mode = signal.context.strategy, signal.context.mode
    return Check(
        name="mode_allowed",
        passed=mode in strategy.modes,
        required=f"a mode of the strategy: {', '.join(strategy.modes)}",
        found=mode,
    )


def _action(action: Action) -> Check:
    return Check(
        name="action", passed=action is not Action.HOLD, required="BUY or SELL", found=action
    )


def _confidence(confidence: float, strategy: Strategy, limits: Limits) -> Check:
    least = max(strategy.min_confidence, limits.min_confidence)
    return Check(
        name="confidence",
        passed=confidence >= least,
        required=f"at least {least}",
        found=str(confidence),
    )


def _quote_age(quote: Quote, limits: Limits, now: datetime) -> Check:
    age = _seconds(now - quote.at)
    return Check(
        name="quote_age",
        passed=age <= limits.max_quote_age_seconds,
        required=f"at most {number(limits.max_quote_age_seconds)} s",
        found=f"{number(age)} s",
    )


def _quote_not_from_the_future(quote: Quote, now: datetime) -> Check:
    return Check(
        name="quote_not_from_the_future",
        passed=quote.at <= now,
        required=f"not after {now.isoformat()}",
        found=quote.at.isoformat(),
    )


def _spread(quote: Quote, limits: Limits) -> Check:
    # In percent of the middle. Below zero the quote is crossed, which is no market.
    spread = (quote.ask - quote.bid) * 200 / (quote.ask + quote.bid)
    return Check(
        name="spread",
        passed=0 <= spread <= limits.max_spread_percent,
        required=f"0 to {number(limits.max_spread_percent)} %",
        found=f"{spread:.4f} % (bid {number(quote.bid)}, ask {number(quote.ask)})",
    )


def _session(close: datetime, now: datetime) -> Check:
    return Check(
        name="session",
        passed=now < close,
        required=f"before the close at {close.isoformat()}",
        found=now.isoformat(),
    )


def _currency(currency: str) -> Check:
    return Check(name="currency", passed=currency == CURRENCY, required=CURRENCY, found=currency)


def _seconds(span: timedelta) -> Decimal:
    return Decimal(span // timedelta(microseconds=1)) / 1_000_000
