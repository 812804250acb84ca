"""The halt switches as they are now. What cannot be read is halted."""

from services.execution.conditions import scopes
from shared.events.order import Switch
from shared.events.state import ControlSwitch
from shared.failures import StateUnknownError
from shared.state import StateReader


async def read_switches(
    reader: StateReader[ControlSwitch], account: str, strategy_id: int
) -> tuple[Switch, ...]:
    """Return the switches of an order, after folding all that Kafka holds at this moment."""
    needed = scopes(account, strategy_id)
    try:
        await reader.fold_up_to_now()
        return tuple(_switch(scope, reader.current(scope)) for scope in needed)
    except StateUnknownError as e:
        return tuple(Switch(scope=scope, halted=True, why=f"unknown: {e}") for scope in needed)


def _switch(scope: str, entry: ControlSwitch | None) -> Switch:
    if entry is None:
        return Switch(scope=scope, halted=False, why="never halted")
    return Switch(
        scope=scope, halted=entry.state == "halted", why=f"{entry.state} by {entry.by}: {entry.why}"
    )
