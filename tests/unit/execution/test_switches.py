from typing import Literal

import pytest

from services.execution.switches import read_switches
from shared.events.base import Mode
from shared.events.order import Switch
from shared.events.state import ControlSwitch
from shared.failures import StateUnknownError, UnreadableEntryError, is_ours
from shared.state import StateReader
from shared.topics import CONTROL_SWITCH
from tests.unit.execution.builders import NOW, a_signal


class Folded(StateReader[ControlSwitch]):
    """A reader at the end of its topic, with these entries."""

    def __init__(self, *entries: ControlSwitch, unreadable: str = "") -> None:
        super().__init__(CONTROL_SWITCH, "127.0.0.1:1")
        self._by_scope = {entry.scope: entry for entry in entries}
        self._bad = unreadable

    async def fold_up_to_now(self, limit_s: float = 0.2) -> None:
        """There is no more to fold."""

    def current(self, key: str) -> ControlSwitch | None:
        if key == self._bad:
            msg = f"the newest entry of {key} is unreadable"
            raise UnreadableEntryError(msg)
        return self._by_scope.get(key)


def an_entry(scope: str, state: Literal["halted", "running"]) -> ControlSwitch:
    return ControlSwitch(
        occurred_at=NOW, market_time=NOW, scope=scope, state=state, by="ann", why="earnings"
    )


def halted(switches: tuple[Switch, ...]) -> list[str]:
    return [switch.scope for switch in switches if switch.halted]


async def test_a_switch_without_an_entry_is_running() -> None:
    switches = await read_switches(Folded(), a_signal())

    assert [s.scope for s in switches] == ["deployment", "account:dry:1", "strategy:1"]
    assert halted(switches) == []


async def test_an_entry_halts_its_scope_and_says_who_and_why() -> None:
    reader = Folded(an_entry("account:dry:1", "halted"), an_entry("deployment", "running"))

    switches = await read_switches(reader, a_signal())

    assert halted(switches) == ["account:dry:1"]
    assert switches[1].why == "halted by ann: earnings"


def unread() -> StateReader[ControlSwitch]:
    return StateReader(CONTROL_SWITCH, "127.0.0.1:1")


async def test_a_dry_run_waits_while_it_is_not_known_whether_there_is_a_halt() -> None:
    with pytest.raises(StateUnknownError) as raised:
        await read_switches(unread(), a_signal())

    # On this the stage tries again, until the run expires.
    assert is_ours(raised.value)


@pytest.mark.parametrize("mode", [Mode.PAPER, Mode.LIVE])
async def test_in_modes_that_order_what_is_not_known_is_halted(mode: Mode) -> None:
    switches = await read_switches(unread(), a_signal(mode=mode))

    assert halted(switches) == ["deployment", "account:DU1234567", "strategy:1"]
    assert all("unknown: control.switch" in switch.why for switch in switches)


@pytest.mark.parametrize("mode", list(Mode))
async def test_an_entry_that_cannot_be_read_halts_its_scope_at_once(mode: Mode) -> None:
    switches = await read_switches(Folded(unreadable="strategy:1"), a_signal(mode=mode))

    assert halted(switches) == ["strategy:1"]
    assert switches[2].why == "unknown: the newest entry of strategy:1 is unreadable"
