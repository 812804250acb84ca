"""Risk: the checks between a signal and an order, in a fixed order, all of them evaluated."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from services.execution.book import held
from services.execution.conditions import conditions
from services.execution.limits import within_limits
from services.execution.sizing import Size, size_buy, size_sell
from services.execution.words import number
from shared.events.base import Check
from shared.events.order import AccountSnapshot, Order, Switch
from shared.events.signal import Action, SignalChecked

# What a failed check is called in an outcome.
CODES = {
    "not_halted": "halted",
    "not_expired": "expired",
    "mode_allowed": "mode_not_allowed",
    "action": "nothing_proposed",
    "confidence": "low_confidence",
    "quote_age": "stale_quote",
    "quote_not_from_the_future": "quote_from_the_future",
    "spread": "wide_spread",
    "session": "session_over",
    "currency": "wrong_currency",
    "atr": "no_atr",
    "stop_loss": "no_stop_loss",
    "position": "nothing_to_sell",
    "size": "too_small",
    "order_notional": "order_too_large",
    "no_short_position": "short_position",
    "position_notional": "position_too_large",
    "gross_exposure": "exposure_too_large",
    "cash": "not_enough_cash",
}
PASSED = "passed"


@dataclass(frozen=True)
class Assessment:
    """``order`` is there exactly where every check passed; ``code`` is that of the first failed."""

    order: Order | None
    checks: tuple[Check, ...]
    code: str
    reason: str


def assess(
    signal: SignalChecked, snapshot: AccountSnapshot, switches: tuple[Switch, ...], now: datetime
) -> Assessment:
    """Return the order that a signal may lead to, or all that stands against it.

    ``now`` is market time. Checks that need the result of a failed one are left out.
    """
    basis = _basis(signal, snapshot)
    checks = (*conditions(signal, snapshot.account, switches, now), *basis)
    order = None
    if basis and all(check.passed for check in basis):
        size = _size(signal, snapshot)
        checks = (*checks, _large_enough(size))
        order = _order(signal, size.quantity)
    if order is not None:
        limits = signal.context.limits
        checks = (*checks, *within_limits(signal.symbol, order, snapshot, limits))
    failed = [check for check in checks if not check.passed]
    if failed:
        return Assessment(None, checks, CODES[failed[0].name], "; ".join(map(_in_words, failed)))
    return Assessment(order, checks, PASSED, f"all {len(checks)} checks passed")


def _basis(signal: SignalChecked, snapshot: AccountSnapshot) -> tuple[Check, ...]:
    """Return the checks of what sizing stands on: range and stop of a buy, position of a sell."""
    if signal.action is Action.BUY:
        atr, stop = signal.atr, _stop_loss(signal)
        found = "none, too few bars" if atr is None else number(atr)
        return (
            _check("atr", atr is not None and atr > 0, "above 0", found),
            _check(
                "stop_loss",
                stop is not None and 0 < stop < signal.quote.ask,
                f"a price below the ask {number(signal.quote.ask)}",
                "none" if stop is None else number(stop),
            ),
        )
    if signal.action is Action.SELL:
        shares = held(snapshot, signal.symbol)
        required = f"at least 1 share of {signal.symbol} held"
        return (_check("position", shares >= 1, required, number(shares)),)
    return ()


def _stop_loss(signal: SignalChecked) -> Decimal | None:
    return None if signal.proposal is None else signal.proposal.stop_loss


def _size(signal: SignalChecked, snapshot: AccountSnapshot) -> Size:
    """Return the size of a signal whose basis passed."""
    if signal.action is Action.SELL:
        return size_sell(signal.symbol, snapshot)
    atr, stop = signal.atr, _stop_loss(signal)
    assert atr is not None  # noqa: S101  # both are of the basis
    assert stop is not None  # noqa: S101
    return size_buy(
        signal.symbol,
        signal.quote.ask,
        atr=atr,
        stop_loss=stop,
        snapshot=snapshot,
        limits=signal.context.limits,
    )


def _large_enough(size: Size) -> Check:
    return _check("size", size.quantity >= 1, "at least 1 share", str(size))


def _order(signal: SignalChecked, quantity: Decimal) -> Order | None:
    """Return a limit order at the price that is there to be taken."""
    if quantity < 1:
        return None
    buys = signal.action is Action.BUY
    return Order(
        side="BUY" if buys else "SELL",
        quantity=quantity,
        order_type="LMT",
        limit_price=signal.quote.ask if buys else signal.quote.bid,
        tif="DAY",
    )


def _check(name: str, passed: bool, required: str, found: str) -> Check:  # noqa: FBT001
    return Check(name=name, passed=passed, required=required, found=found)


def _in_words(check: Check) -> str:
    return f"{check.name}: required {check.required}, found {check.found}"
