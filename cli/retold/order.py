"""The order, computed again: for whom it is, and what became of the signal."""

import uuid

from cli.differences import Parts
from cli.retold.log import Log
from services.execution.account import account_of
from services.execution.conditions import scopes
from services.execution.decide import Decision, decide
from shared.events.base import NAMESPACE, Mode
from shared.events.order import OrderChanged
from shared.events.signal import SignalChecked


def intent(event: OrderChanged, log: Log) -> Parts:
    """Yield whose order it is: one per run and symbol, closed once."""
    yield "intent_id", event.intent_id, _intent_id(event)
    yield "seq", event.seq, 1
    yield "closing", event.closing, event is log.first(OrderChanged, event.symbol)
    yield "decided_at", event.decided_at, event.market_time
    signal = log.first(SignalChecked, event.symbol)
    yield "signal_hash", event.signal_hash, signal and signal.signal_hash
    if signal is not None:
        yield from _of_signal(event, signal)


def _of_signal(event: OrderChanged, signal: SignalChecked) -> Parts:
    context, account = signal.context, account_of(signal)
    yield "limits", event.limits, context.limits
    yield "mode", event.mode, context.mode
    yield "strategy_id", event.strategy_id, context.strategy.id
    yield "account", event.account, account
    read = tuple(switch.scope for switch in event.switches)
    yield "switches", read, scopes(account, context.strategy.id)
    # Of accounts at the broker there is no book here.
    booked = account if context.mode is Mode.DRY_RUN else None
    yield "snapshot.account", event.snapshot and event.snapshot.account, booked


def decision(event: OrderChanged, log: Log) -> Parts:
    """Yield what became of the signal."""
    signal = log.first(SignalChecked, event.symbol)
    if signal is None:
        return
    decided = decide(signal, event.snapshot, event.switches, event.decided_at)
    for field in ("checks", "order", "fill", *Decision.model_fields):
        yield field, getattr(event, field), getattr(decided, field)


def _intent_id(event: OrderChanged) -> uuid.UUID:
    return uuid.uuid5(NAMESPACE, f"intent|{event.run_id}|{event.symbol}")
