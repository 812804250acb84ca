import itertools
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from cli.ledger import read_entry
from cli.story import tell
from shared.events.base import Event
from shared.events.run import Outcome
from tests.unit.cli.builders import (
    a_row,
    a_story,
    a_whole_run,
    accepted,
    an_entry,
    checked,
    dead_letter,
    failed,
    market_open,
    ordered,
    rejected,
    waiting,
)


@given(st.permutations(a_whole_run()))
def test_the_order_of_arrival_does_not_change_the_story(shuffled: list[Event]) -> None:
    whole = a_whole_run()
    entries = [
        an_entry(event, whole.index(event), whole.index(event) * timedelta(milliseconds=1))
        for event in shuffled
    ]

    assert [entry.event for entry in tell(entries).entries] == list(whole)


def test_entries_of_one_millisecond_stay_in_the_order_of_the_ledger() -> None:
    story = a_story(*a_whole_run(), apart=timedelta())

    assert [entry.id for entry in story.entries] == list(range(1, 13))


def test_a_symbol_knows_its_own_events_only() -> None:
    nvda = a_story(*a_whole_run()).symbol("NVDA")

    assert nvda.outcome == "held"
    assert nvda.signal is not None
    assert {nvda.signal.symbol, *(order.symbol for order in nvda.orders)} == {"NVDA"}


def test_a_failure_of_the_whole_run_is_that_of_each_symbol() -> None:
    story = a_story(accepted(), failed(None, "market_open", "unknown_exchange"))

    assert [story.symbol(symbol).outcome for symbol in story.symbols] == ["failed", "failed"]


def test_an_order_that_closed_a_symbol_outlives_a_later_failure() -> None:
    story = a_story(accepted(), ordered("TSLA", Outcome.DECLINED), failed("TSLA", "order"))

    assert story.symbol("TSLA").outcome == "declined"


def test_a_failure_by_expiry_is_told_as_such() -> None:
    story = a_story(accepted(), failed("TSLA", "signal", "expired"))

    assert story.symbol("TSLA").outcome == "expired"


def test_a_symbol_under_way_has_no_outcome() -> None:
    assert a_story(accepted(), checked("TSLA")).symbol("TSLA").outcome is None


def test_a_run_waits_only_until_its_next_event() -> None:
    assert a_story(accepted(), waiting()).waiting == waiting()
    assert a_story(accepted(), waiting(), market_open()).waiting is None


def test_a_refused_request_tells_its_reason() -> None:
    for event in (rejected(), dead_letter()):
        assert a_story(event).refusal == event


def test_a_repeat_that_is_refused_leaves_the_accepted_run_as_it_is() -> None:
    assert a_story(accepted(), dead_letter()).refusal is None


def test_a_body_that_is_no_event_any_more_stays_in_the_story() -> None:
    bodies: tuple[object, ...] = ("not json", ["a list"], {"strategy_id": 1}, None, 7)
    for body, name in itertools.product(bodies, ("run.accepted", "some.other")):
        entry = read_entry(a_row(accepted()) | {"type": name, "body": body})

        assert (entry.event, entry.body) == (None, body)
        assert tell([entry]).symbols == ()
