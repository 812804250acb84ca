"""What becomes of a signal: composed of risk, sizing and fill. Pure, so that it can be retold."""

from datetime import datetime
from typing import Final

from services.execution.fill import simulate
from services.execution.risk import assess
from services.execution.words import number
from shared.canonical import sha256_of
from shared.events.base import Check, Fact, Mode, Reason
from shared.events.order import AccountSnapshot, Fill, Order, OrderState, Switch
from shared.events.run import Outcome
from shared.events.signal import Action, SignalChecked

EXPIRED = "expired"
# What the hash leaves out of a check: clocks, the words of a halt, and what depends on which symbol
# of a run came to the account first. The size itself is hashed with the order.
_BOTH: Final = frozenset({"required", "found"})
_UNHASHED: Final = {
    "not_halted": _BOTH,
    "not_expired": _BOTH,
    "quote_age": _BOTH,
    "quote_not_from_the_future": _BOTH,
    "session": _BOTH,
    "size": frozenset({"found"}),
    "gross_exposure": frozenset({"found"}),
    "cash": frozenset({"required"}),
}


class Decision(Fact):
    """The one answer to a signal. ``decision_hash`` covers no ids and no clock."""

    state: OrderState
    outcome: Outcome
    code: str
    reason: Reason
    order: Order | None
    fill: Fill | None
    checks: tuple[Check, ...]
    decision_hash: str


def decide(
    signal: SignalChecked,
    snapshot: AccountSnapshot | None,
    switches: tuple[Switch, ...],
    now: datetime,
) -> Decision:
    """Return what becomes of a signal at ``now`` (market time).

    ``snapshot`` is None in modes that have no book here, which refuse every order.
    """
    if signal.action is Action.HOLD:
        return _closed(signal, Outcome.HELD, signal.code, signal.reason)
    if signal.context.mode is not Mode.DRY_RUN or snapshot is None:
        mode = signal.context.mode
        why = f"orders at the broker are not built yet: mode {mode} is refused, use dry_run"
        return _closed(signal, Outcome.DECLINED, "mode_unavailable", why)
    risk = assess(signal, snapshot, switches, now)
    if risk.order is None:
        outcome = Outcome.EXPIRED if risk.code == EXPIRED else Outcome.DECLINED
        return _closed(signal, outcome, risk.code, risk.reason, risk.checks)
    fill = simulate(risk.order, signal.quote, now)
    why = (
        f"dry run: {risk.order.side} {number(fill.quantity)} {signal.symbol} at "
        f"{number(fill.price)}, simulated against the captured quote; {risk.reason}"
    )
    return _closed(
        signal, Outcome.SIMULATED, "simulated", why, risk.checks, order=risk.order, fill=fill
    )


def _closed(
    signal: SignalChecked,
    outcome: Outcome,
    code: str,
    reason: str,
    checks: tuple[Check, ...] = (),
    *,
    order: Order | None = None,
    fill: Fill | None = None,
) -> Decision:
    decision_hash = sha256_of(
        {
            "signal_hash": signal.signal_hash,
            "order_checks": [_hashed(check) for check in checks],
            "outcome": outcome,
            "code": code,
            "order": order,
            "fill": None if fill is None else [str(fill.price), str(fill.quantity)],
        }
    )
    return Decision(
        state=OrderState(outcome.value),
        outcome=outcome,
        code=code,
        reason=reason,
        order=order,
        fill=fill,
        checks=checks,
        decision_hash=decision_hash,
    )


def _hashed(check: Check) -> dict[str, object]:
    left_out = _UNHASHED.get(check.name, frozenset())
    return {name: value for name, value in dict(check).items() if name not in left_out}
