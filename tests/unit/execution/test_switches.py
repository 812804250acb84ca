from typing import Literal

from services.execution.switches import read_switches
from shared.events.order import Switch
from shared.events.state import ControlSwitch
from shared.state import StateReader
from shared.topics import CONTROL_SWITCH
from tests.unit.execution.builders import ACCOUNT, NOW


class Folded(StateReader[ControlSwitch]):
    """A reader at the end of its topic, with these entries."""

    def __init__(self, *entries: ControlSwitch) -> None:
        super().__init__(CONTROL_SWITCH, "127.0.0.1:1")
        self._by_scope = {entry.scope: entry for entry in entries}

    async def fold_up_to_now(self, limit_s: float = 0.2) -> None:
        """There is no more to fold."""

    def current(self, key: str) -> ControlSwitch | None:
        return self._by_scope.get(key)


def an_entry(scope: str, state: Literal["halted", "running"]) -> ControlSwitch:
    return ControlSwitch(
        occurred_at=NOW, market_time=NOW, scope=scope, state=state, by="ann", why="earnings"
    )


def halted(switches: tuple[Switch, ...]) -> list[str]:
    return [switch.scope for switch in switches if switch.halted]


async def test_a_switch_without_an_entry_is_running() -> None:
    switches = await read_switches(Folded(), ACCOUNT, 1)

    assert [s.scope for s in switches] == ["deployment", "account:dry:1", "strategy:1"]
    assert halted(switches) == []


async def test_an_entry_halts_its_scope_and_says_who_and_why() -> None:
    reader = Folded(an_entry("account:dry:1", "halted"), an_entry("deployment", "running"))

    switches = await read_switches(reader, ACCOUNT, 1)

    assert halted(switches) == ["account:dry:1"]
    assert switches[1].why == "halted by ann: earnings"


async def test_switches_that_cannot_be_read_are_halted() -> None:
    unread = StateReader(CONTROL_SWITCH, "127.0.0.1:1")

    switches = await read_switches(unread, ACCOUNT, 1)

    assert halted(switches) == ["deployment", "account:dry:1", "strategy:1"]
    assert all("unknown: control.switch" in switch.why for switch in switches)
