from datetime import timedelta

from cli.step_text import step_lines, waiting_note
from cli.story import Story
from shared.events.run import RunWaiting
from tests.unit.cli.builders import (
    BELL,
    MARKET,
    STAMP,
    WALL,
    a_story,
    a_whole_run,
    accepted,
    plain,
    waiting,
)


def lines(story: Story) -> str:
    return plain(step_lines(story, now=WALL + timedelta(seconds=3), market_now=MARKET))


def test_each_step_has_a_line_with_its_duration() -> None:
    text = lines(a_story(*a_whole_run()))

    assert text.count("✓") == 7
    assert "✓ accept             100 ms  TSLA, NVDA by momentum-llm" in text


def test_a_wait_for_the_bell_counts_down() -> None:
    text = lines(a_story(accepted(), waiting()))

    assert "3.00 s  waiting for the bell at Mon 2023-06-05 09:30:00 New York, in 10 s" in text


def test_no_countdown_is_shown_where_the_market_clock_is_past_the_bell() -> None:
    note = waiting_note(a_story(accepted(), waiting()), BELL + timedelta(days=900))

    assert note == "waiting: XNYS is closed"


def test_a_wait_without_an_end_tells_its_reason() -> None:
    down = RunWaiting(**STAMP, step="broker_ready", reason="the broker is unreachable")

    note = waiting_note(a_story(accepted(), down), MARKET)

    assert note == "waiting: the broker is unreachable"
