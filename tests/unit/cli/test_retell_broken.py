"""What cannot be computed any more is a difference too, of the field that is to blame."""

import functools

import pytest

from tests.unit.cli.recorded_facts import LLM
from tests.unit.cli.recorded_run import Edit, Rows, a_run, changed, setting
from tests.unit.cli.verifying import copied, difference, recorded


@functools.cache
def of_model() -> Rows:
    return a_run(LLM)


def test_a_vote_of_rules_is_no_answer_of_a_model() -> None:
    rows = changed(of_model(), "signal.checked", setting("call", to=None))

    assert difference(rows) == ("signal.checked TSLA", "call")


@pytest.mark.parametrize(
    ("topic", "edit", "field"),
    [
        ("signal.checked", setting("call", "request", to="x"), "call.request"),
        ("signal.checked", setting("call", "request", to="[]"), "call.request"),
        ("signal.checked", setting("call", "request", to='{"messages": 1}'), "call.request"),
        ("signal.checked", setting("call", "model", to="another"), "call.request"),
        ("run.market-open", setting("market_time", to="1990-01-02T15:00:00Z"), "market_time"),
        ("evidence.captured", setting("evidence", "bars", to=[]), "evidence.bars.2022-06-01"),
        ("evidence.captured", setting("evidence", "quote", "last", to=[]), "evidence.quote.last"),
        ("order.changed", setting("mode", to="yolo"), "mode"),
        ("run.finished", setting("symbols", 0, "outcome", to="rich"), "symbols.0.outcome"),
        ("run.accepted", lambda body: body.pop("context"), "context"),
    ],
)
def test_what_cannot_be_computed_any_more_is_named_by_its_field(
    topic: str, edit: Edit, field: str
) -> None:
    event, found = difference(changed(of_model(), topic, edit))

    assert event.startswith(topic)
    assert found.startswith(field)


def test_an_exchange_without_a_calendar_is_named_wherever_it_comes_from() -> None:
    rows = recorded()
    for topic in ("run.accepted", "run.market-open"):
        rows = changed(rows, topic, setting("context", "strategy", "exchange", to="NOPE"))
    rows = changed(rows, "run.market-open", setting("exchange", to="NOPE"))

    assert difference(rows) == ("run.market-open", "exchange")


def test_a_topic_that_is_none_of_ours_is_named() -> None:
    rows = copied()
    rows[-1]["topic"] = "run.fnord"

    assert difference(rows) == ("run.fnord", "topic")
