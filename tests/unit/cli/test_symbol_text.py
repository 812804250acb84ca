from cli.symbol_text import symbol_lines
from shared.events.base import Event
from shared.events.run import Outcome
from shared.events.signal import Action
from tests.unit.cli.builders import (
    a_call,
    a_story,
    a_whole_run,
    accepted,
    captured,
    checked,
    failed,
    ordered,
    plain,
)


def told(*events: Event, full: bool = False) -> str:
    return plain(symbol_lines(a_story(accepted(), *events).symbol("TSLA"), full=full))


def test_a_symbol_is_told_from_quote_to_outcome() -> None:
    text = told(*a_whole_run()[5:])

    places = [
        text.index(words)
        for words in (
            "TSLA  simulated",
            "last 217.50  bid 217.49  ask 217.51",
            "BUY with confidence 0.8, proposed by the model small-model",
            "stop 210.00, target -",
            "it rises",
            "✓ confidence  required at least 0.7, found 0.8",
            "✓ spread  required 0 to 0.5 %, found 0.01 %",
            "BUY 45 at 217.51 LMT DAY, dry_run",
            "45 at 217.51, simulated, no broker was asked",
            "  simulated: it is simulated",
        )
    ]
    assert places == sorted(places)


def test_a_failed_check_is_marked() -> None:
    assert "✗ spread" in told(ordered("TSLA", Outcome.DECLINED))


def test_what_the_checks_made_of_a_proposal_is_said_only_where_they_changed_it() -> None:
    assert "after the checks HOLD" in told(checked("TSLA", Action.HOLD))
    assert "after the checks" not in told(checked("TSLA", Action.BUY))


def test_rules_are_never_called_a_model() -> None:
    text = told(checked("TSLA", source="rules", call=None))

    assert "proposed by fixed rules (no model)" in text


def test_an_answer_that_could_not_be_read_is_no_proposal() -> None:
    text = told(checked("TSLA", Action.HOLD, proposal=None))

    assert "no usable proposal by the model small-model: HOLD" in text


def test_a_failed_symbol_says_at_which_step_after_how_many_attempts_and_why() -> None:
    text = told(captured(), failed("TSLA", "signal"))

    assert "failed at step signal after 2 attempts, llm_timeout: no answer" in text


def test_a_symbol_under_way_shows_what_is_known() -> None:
    text = told(captured())

    assert text.startswith("TSLA  under way")
    assert "outcome" not in text


def test_the_name_of_a_model_cannot_steer_the_terminal() -> None:
    text = told(checked("TSLA", call=a_call(model="evil\x1b[2J")))

    assert "\x1b" not in text
    assert "evil\\x1b[2J" in text


def test_long_reasons_are_cut_unless_all_is_asked_for() -> None:
    order = ordered().model_copy(update={"reason": "because " * 100})

    assert "…" in told(order)
    assert "because " * 99 in told(order, full=True)
