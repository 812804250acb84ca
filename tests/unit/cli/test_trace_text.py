from datetime import timedelta

from cli.story import Story
from cli.trace_text import messages_of, trace_lines
from shared.events.signal import SignalChecked
from tests.unit.cli.builders import (
    a_call,
    a_story,
    a_whole_run,
    accepted,
    captured,
    checked,
    dead_letter,
    failed,
    plain,
)


def traced(story: Story, *, full: bool = False) -> str:
    return plain(trace_lines(story, full=full))


def told(signal: SignalChecked, *, full: bool = False) -> str:
    return traced(a_story(accepted(), captured(), signal), full=full)


def test_every_event_has_a_line_with_its_times_and_source() -> None:
    lines = traced(a_story(*a_whole_run(), apart=timedelta(milliseconds=10))).splitlines()

    events = [line for line in lines if line.endswith(" by test]")]
    assert len(events) == len(a_whole_run())
    assert events[1].split()[:4] == ["+10", "12:00:00.010", "2023-06-05", "09:29:50"]
    assert events[1].endswith("[run.accepted/0/1 by test]")


def test_a_request_without_times_has_no_market_time() -> None:
    first = traced(a_story(*a_whole_run())).splitlines()[1]

    assert first.split()[:4] == ["+0", "12:00:00.000", "-", "run.requested"]


def test_symbols_follow_from_quote_to_outcome() -> None:
    text = traced(a_story(*a_whole_run()))
    tsla = text[text.index("TSLA  simulated") :]

    words = (
        "quote",
        "evidence",
        "sma_20 210.25",
        "What of TSLA?",
        '{"action": "BUY"}',
        "  signal ",
    )
    rest = ("✓ confidence", "✓ spread", "  order ", "  outcome ")
    places = [tsla.index(word) for word in (*words, *rest)]
    assert places == sorted(places)
    assert "NVDA  held" in text


def test_an_indicator_of_zero_is_no_missing_one() -> None:
    text = told(checked())

    assert "atr_14 0.00" in text
    assert "sma_200 none" in text


def test_a_long_answer_is_cut_and_said_to_be_unless_all_is_asked_for() -> None:
    answer = "no idea " * 200
    signal = checked(call=a_call(answer=answer))

    assert "1,000 characters more: --full shows all" in told(signal)
    assert answer in told(signal, full=True)
    assert "characters more" not in told(signal, full=True)


def test_all_of_it_includes_the_request_as_it_was_sent() -> None:
    signal = checked()

    assert signal.call is not None
    assert signal.call.request in told(signal, full=True)


def test_an_answer_cannot_steer_the_terminal() -> None:
    assert "\x1b" not in told(checked(call=a_call(answer="\x1b]0;owned\x07")), full=True)


def test_a_request_of_another_shape_is_shown_whole() -> None:
    for request in ("not json", "{}", '{"messages": [1]}', "[]", '{"messages": null}'):
        assert messages_of(request) == [("request", request)]


def test_a_run_that_never_was_is_traced_to_its_refusal() -> None:
    assert "not_json: expected a JSON object" in traced(a_story(dead_letter()))


def test_a_failure_is_told_in_its_line_and_at_its_symbol() -> None:
    text = traced(a_story(accepted(), failed("NVDA", "evidence", "unknown_symbol")))

    assert "NVDA evidence, unknown_symbol: no answer" in text
    assert "NVDA  failed" in text
