"""The halt switches as they are now. What is not known never counts as running."""

from services.execution.account import account_of
from services.execution.conditions import scopes
from shared.events.base import Mode
from shared.events.order import Switch
from shared.events.signal import SignalChecked
from shared.events.state import ControlSwitch
from shared.failures import StateUnknownError, UnreadableEntryError
from shared.state import StateReader


async def read_switches(
    reader: StateReader[ControlSwitch], signal: SignalChecked
) -> tuple[Switch, ...]:
    """Return the switches of an order, after folding all that Kafka holds at this moment.

    Where that is not known, a dry run raises StateUnknownError, on which the stage waits until the
    run expires; in other modes all are halted. An entry that cannot be read is halted in every
    mode: it stays as it is until someone halts or resumes anew.
    """
    needed = scopes(account_of(signal), signal.context.strategy.id)
    try:
        await reader.fold_up_to_now()
        return tuple(_read(scope, reader) for scope in needed)
    except StateUnknownError as e:
        if signal.context.mode is Mode.DRY_RUN:
            raise
        return tuple(_unknown(scope, e) for scope in needed)


def _read(scope: str, reader: StateReader[ControlSwitch]) -> Switch:
    try:
        entry = reader.current(scope)
    except UnreadableEntryError as e:
        return _unknown(scope, e)
    if entry is None:
        return Switch(scope=scope, halted=False, why="never halted")
    return Switch(
        scope=scope, halted=entry.state == "halted", why=f"{entry.state} by {entry.by}: {entry.why}"
    )


def _unknown(scope: str, why: StateUnknownError) -> Switch:
    return Switch(scope=scope, halted=True, why=f"unknown: {why}")
