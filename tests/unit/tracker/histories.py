"""Histories as the tracker keeps them: of events a test names, or of a run the services made."""

from collections.abc import Iterable
from datetime import timedelta

from services.tracker.history import History, Told, kept, told
from shared.envelope import Message
from shared.events.base import Event, RunEvent
from shared.story import tell
from tests.unit.cli.builders import WALL
from tests.unit.cli.recorded_run import _record

APART = timedelta(milliseconds=100)


def a_history(*events: Event, apart: timedelta = APART) -> History:
    """The history of these events, each one a while after the one before."""
    return tell(
        Told(event, WALL + place * apart)
        for place, event in enumerate(events)
        if isinstance(event, RunEvent)
    )


def as_kept(messages: Iterable[Message]) -> History:
    """The history of recorded messages, there and back through what is kept of them."""
    there = [kept(_record(m, n)) for n, m in enumerate(messages) if m.topic != "run.requested"]
    return tell(told(k.topic, k.timestamp, k.body) for k in there)
