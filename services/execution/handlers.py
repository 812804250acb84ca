"""The step ``order``: every signal gets exactly one closing order event, HOLD too."""

import uuid
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.execution import book, store
from services.execution.account import account_of
from services.execution.decide import Decision, decide
from services.execution.switches import read_switches
from shared.envelope import Cause
from shared.events.base import NAMESPACE, Mode
from shared.events.order import AccountSnapshot, OrderChanged, Switch
from shared.events.signal import SignalChecked
from shared.events.state import ControlSwitch
from shared.stage import Results, Stage
from shared.state import StateReader
from shared.topics import SIGNAL_CHECKED

STEP = "order"


def register(stage: Stage, reader: StateReader[ControlSwitch]) -> None:
    """Subscribe the step."""

    @stage.on_transaction(SIGNAL_CHECKED, step=STEP)
    async def order(cause: Cause[SignalChecked], session: AsyncSession) -> Results:
        signal = cause.event
        return await answer(stage, session, signal, await read_switches(reader, signal))


async def answer(
    stage: Stage, session: AsyncSession, signal: SignalChecked, switches: tuple[Switch, ...]
) -> list[OrderChanged]:
    """Decide a signal under the lock of its account, and book what was filled.

    Empty where the run already has an intent for the symbol: it is never decided twice.
    """
    snapshot = await _hold(session, signal)
    # The wait for the lock is part of the age of the quote.
    stamp = stage.stamp()
    decision = decide(signal, snapshot, switches, stamp["market_time"])
    event = _event(stamp, signal, snapshot, switches, decision)
    if not await store.add_intent(session, event):
        return []
    if snapshot is not None and decision.order is not None and decision.fill is not None:
        after = book.apply(snapshot, signal.symbol, decision.order.side, decision.fill)
        await store.save_account(session, after, signal.symbol)
    return [event]


async def _hold(session: AsyncSession, signal: SignalChecked) -> AccountSnapshot | None:
    """Return the locked book of a dry run; other modes have none here."""
    if signal.context.mode is not Mode.DRY_RUN:
        return None
    cash = signal.context.limits.dry_run_cash
    return await store.hold_account(session, account_of(signal), cash)


def _event(
    stamp: dict[str, Any],
    signal: SignalChecked,
    snapshot: AccountSnapshot | None,
    switches: tuple[Switch, ...],
    decision: Decision,
) -> OrderChanged:
    return OrderChanged(
        **stamp,
        **vars(decision),
        run_id=signal.run_id,
        symbol=signal.symbol,
        expires_at=signal.expires_at,
        intent_id=uuid.uuid5(NAMESPACE, f"intent|{signal.run_id}|{signal.symbol}"),
        seq=1,
        closing=True,
        mode=signal.context.mode,
        account=account_of(signal),
        strategy_id=signal.context.strategy.id,
        snapshot=snapshot,
        limits=signal.context.limits,
        switches=switches,
        decided_at=stamp["market_time"],
        signal_hash=signal.signal_hash,
    )
