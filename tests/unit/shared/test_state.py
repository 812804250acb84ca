"""Folding: what a switch says counts, and what cannot be read is never taken for running."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from shared.events.state import ControlSwitch
from shared.failures import UnreadableEntryError
from shared.state import StateReader
from shared.topics import CONTROL_SWITCH

NOW = datetime(2023, 6, 1, 14, tzinfo=UTC)
UNREADABLE = {"scope": "deployment", "state": "halted"}


def a_switch(scope: str, state: str) -> dict[str, Any]:
    entry = {"scope": scope, "state": state, "by": "ann", "why": "w"}
    stamp = {"occurred_at": NOW, "market_time": NOW}
    return ControlSwitch.model_validate(entry | stamp).model_dump(mode="json")


@pytest.fixture
def reader() -> StateReader[ControlSwitch]:
    """A reader at the end of an empty topic."""
    made = StateReader(CONTROL_SWITCH, "127.0.0.1:1")
    made._caught_up.set()
    return made


def fold(reader: StateReader[ControlSwitch], key: str, body: Any) -> None:
    value = None if body is None else json.dumps(body).encode()
    record = ConsumerRecord(
        "control.switch", 0, 0, 0, 0, key.encode(), value, None, len(key), 0, ()
    )
    reader._fold(record)


def state_of(reader: StateReader[ControlSwitch], scope: str) -> str | None:
    entry = reader.current(scope)
    return entry.state if entry else None


def test_an_entry_that_cannot_be_read_makes_its_key_unknown(
    reader: StateReader[ControlSwitch],
) -> None:
    fold(reader, "strategy:1", a_switch("strategy:1", "halted"))
    fold(reader, "deployment", UNREADABLE)

    with pytest.raises(UnreadableEntryError, match="newest entry of deployment"):
        reader.current("deployment")
    assert state_of(reader, "strategy:1") == "halted"


@pytest.mark.parametrize("mended", [a_switch("deployment", "running"), None], ids=["new", "gone"])
def test_a_new_entry_or_a_tombstone_mends_it(
    reader: StateReader[ControlSwitch], mended: Any
) -> None:
    fold(reader, "deployment", UNREADABLE)

    fold(reader, "deployment", mended)

    assert state_of(reader, "deployment") in {"running", None}


def test_a_halt_under_another_key_halts_what_it_names(reader: StateReader[ControlSwitch]) -> None:
    fold(reader, "whatever", a_switch("deployment", "halted"))

    assert state_of(reader, "deployment") == "halted"


def test_another_switch_under_its_key_does_not_lift_a_halt(
    reader: StateReader[ControlSwitch],
) -> None:
    fold(reader, "deployment", a_switch("deployment", "halted"))

    fold(reader, "deployment", a_switch("strategy:9", "running"))

    with pytest.raises(UnreadableEntryError, match="expected the key strategy:9"):
        reader.current("deployment")
    assert state_of(reader, "strategy:9") == "running"
