"""What is kept of the bus, and when all of a run is there."""

from collections.abc import Callable

import pytest

from services.tracker.history import is_whole, kept
from shared.events.base import Event
from shared.events.evidence import EvidenceCaptured
from shared.events.order import OrderChanged
from shared.events.run import Outcome, RunAccepted, RunFinished
from shared.events.signal import SignalChecked
from shared.failures import PoisonError
from shared.topics import MAX_MESSAGE_BYTES
from tests.unit.cli.builders import a_whole_run, accepted, captured, checked, failed, finished
from tests.unit.cli.recorded_facts import LLM
from tests.unit.cli.recorded_run import _record, messages
from tests.unit.tracker.histories import a_history, as_kept

FAILS = {"TSLA": Outcome.FAILED, "NVDA": Outcome.FAILED}


def test_a_run_to_its_end_is_whole() -> None:
    assert is_whole(a_history(*a_whole_run()))


@pytest.mark.parametrize(
    "missing", [RunAccepted, EvidenceCaptured, SignalChecked, OrderChanged, RunFinished]
)
def test_a_run_of_which_a_topic_is_not_read_yet_is_not(missing: type[Event]) -> None:
    there = [event for event in a_whole_run() if not isinstance(event, missing)]

    assert not is_whole(a_history(*there))


def test_a_run_that_failed_before_its_symbols_is_whole() -> None:
    assert is_whole(a_history(accepted(), failed(None, "broker_ready"), finished(**FAILS)))


@pytest.mark.parametrize(
    ("step", "make", "whole"),
    [
        ("evidence", [], True),
        ("signal", [captured], True),
        ("signal", [], False),
        ("order", [captured, checked], True),
        ("order", [captured], False),
    ],
)
def test_what_a_failed_step_stood_on_must_be_there(
    step: str, make: list[Callable[[str], Event]], *, whole: bool
) -> None:
    known = None if step == "evidence" else "e" * 64
    events: list[Event] = [accepted(), finished(**FAILS)]
    for symbol in FAILS:
        events += [m(symbol) for m in make]
        events += [failed(symbol, step).model_copy(update={"evidence_hash": known})]

    assert is_whole(a_history(*events)) is whole


def test_what_is_kept_tells_the_same_events_again() -> None:
    history = as_kept(messages(LLM))

    assert is_whole(history)
    signal = history.first(SignalChecked, "TSLA")
    assert signal is not None
    assert signal.call is not None
    assert signal.model_dump_json() in [m.body for m in messages(LLM)]


def test_the_same_event_is_kept_under_the_same_id_wherever_it_stands() -> None:
    message = messages(LLM)[-1]

    assert kept(_record(message, 1)).event_id == kept(_record(message, 99)).event_id


def test_what_is_larger_than_any_event_of_ours_is_not_kept() -> None:
    record = _record(messages(LLM)[-1], 0)
    record.value = record.value + b" " * MAX_MESSAGE_BYTES

    with pytest.raises(PoisonError, match="too_large"):
        kept(record)


def test_what_is_no_event_is_not_kept() -> None:
    record = _record(messages(LLM)[-1], 0)
    record.value = b"{}"

    with pytest.raises(PoisonError):
        kept(record)
