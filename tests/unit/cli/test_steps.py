from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.steps import STEPS, Step, steps_of
from cli.story import Story
from shared.events.run import Outcome
from tests.unit.cli.builders import (
    a_story,
    a_whole_run,
    accepted,
    broker_ready,
    captured,
    checked,
    failed,
    finished,
    market_open,
    rejected,
    requested,
    waiting,
)


def step(story: Story, name: str) -> Step:
    return next(step for step in steps_of(story) if step.name == name)


def conditions(story: Story) -> list[str]:
    return [step.condition for step in steps_of(story)]


def test_a_finished_run_has_done_every_step() -> None:
    assert conditions(a_story(*a_whole_run())) == ["done"] * len(STEPS)


def test_before_the_first_event_every_step_is_pending() -> None:
    assert conditions(a_story()) == ["pending"] * len(STEPS)


@given(st.integers(min_value=0, max_value=len(a_whole_run())))
def test_at_most_one_step_is_under_way_and_none_is_done_behind_it(seen: int) -> None:
    states = conditions(a_story(*a_whole_run()[:seen]))

    under_way = [place for place, state in enumerate(states) if state in {"active", "waiting"}]
    assert len(under_way) == (0 if seen in {0, len(a_whole_run())} else 1)
    for place in under_way:
        assert set(states[:place]) <= {"done"}
        assert set(states[place + 1 :]) <= {"pending"}


def test_the_durations_of_the_steps_add_up_to_that_of_the_run() -> None:
    story = a_story(*a_whole_run(), apart=timedelta(milliseconds=7))

    whole = story.entries[-1].timestamp - story.entries[0].timestamp
    took = [step.seconds for step in steps_of(story)]
    assert sum(s for s in took if s is not None) == pytest.approx(whole.total_seconds())


def test_acceptance_is_measured_from_the_request_on_kafka() -> None:
    story = a_story(requested(), accepted(), apart=timedelta(milliseconds=30))

    assert step(story, "accept").seconds == 0.03


def test_a_run_before_the_bell_waits_at_the_market() -> None:
    waits = step(a_story(accepted(), waiting()), "market_open")

    assert (waits.condition, waits.seconds, waits.note) == ("waiting", None, "XNYS is closed")


def test_a_step_is_under_way_until_its_last_symbol_is_there() -> None:
    events = accepted(), market_open(), broker_ready()

    one = step(a_story(*events, captured("TSLA")), "evidence")
    both = step(a_story(*events, captured("TSLA"), captured("NVDA")), "evidence")

    assert (one.condition, one.note) == ("active", "1 of 2 symbols")
    assert (both.condition, both.note) == ("done", "2 of 2 symbols")


def test_a_symbol_that_failed_is_waited_for_no_more() -> None:
    events = accepted(), market_open(), broker_ready(), captured("TSLA")
    story = a_story(*events, failed("NVDA", "evidence", "unknown_symbol"), checked("TSLA"))

    evidence, signal = step(story, "evidence"), step(story, "signal")
    assert evidence.condition == "failed"
    assert evidence.note == "1 of 2 symbols, NVDA: unknown_symbol"
    assert (signal.condition, signal.note) == ("done", "1 of 2 symbols")


def test_steps_that_no_symbol_reached_are_left_out() -> None:
    events = accepted(), market_open(), broker_ready(), captured("TSLA"), captured("NVDA")
    lost = failed("TSLA", "signal"), failed("NVDA", "signal")
    story = a_story(*events, *lost, finished(TSLA=Outcome.FAILED, NVDA=Outcome.FAILED))

    assert conditions(story)[-3:] == ["failed", "skipped", "done"]


def test_a_run_that_failed_as_a_whole_still_comes_to_its_end() -> None:
    lost = failed(None, "market_open", "unknown_exchange")

    before = a_story(accepted(), lost)
    after = a_story(accepted(), lost, finished(TSLA=Outcome.FAILED, NVDA=Outcome.FAILED))

    assert conditions(before) == ["done", "failed", *["skipped"] * 4, "active"]
    assert conditions(after) == ["done", "failed", *["skipped"] * 4, "done"]


def test_a_refused_request_fails_at_acceptance_with_the_reason() -> None:
    refused = step(a_story(requested(), rejected()), "accept")

    assert (refused.condition, refused.note) == ("failed", "symbols: none")
