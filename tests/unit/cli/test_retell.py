"""Every field of a run that follows from others, edited so that the chain is whole again."""

from typing import Any
from uuid import UUID

import pytest

from services.api.closing import decision_hash_of
from shared.events.run import SymbolOutcome
from tests.unit.cli.recorded_facts import LLM
from tests.unit.cli.recorded_run import Edit, Rows, a_run, changed, setting
from tests.unit.cli.verifying import difference, recorded

LATER = "2023-06-01T20:30:00Z"


def without(rows: Rows, *topics: str) -> Rows:
    return [row for row in rows if row["topic"] not in topics]


@pytest.mark.parametrize("request_", [{}, {"mode": "paper"}, {"deadline": "2023-06-01T15:00:00Z"}])
def test_a_run_that_nobody_touched_is_identical(request_: dict[str, Any]) -> None:
    assert difference(a_run(**request_)) == ("", "")
    assert difference(a_run(LLM, **request_)) == ("", "")


@pytest.mark.parametrize(
    ("topic", "edit", "field"),
    [
        ("run.accepted", setting("symbols", to=["TSLA"]), "symbols[1]"),
        ("run.accepted", setting("context", "mode", to="live"), "context.mode"),
        ("run.accepted", setting("context", "account", to="DU9"), "context.account"),
        ("run.accepted", setting("context", "note", to="ours"), "context.note"),
        ("run.accepted", setting("context", "strategy", "id", to=7), "context.strategy.id"),
        ("run.accepted", setting("context", "deadline", to=LATER), "expires_at"),
        ("run.accepted", setting("expires_at", to=LATER), "expires_at"),
    ],
)
def test_what_was_accepted_is_what_was_asked(topic: str, edit: Edit, field: str) -> None:
    assert difference(changed(recorded(), topic, edit)) == (topic, field)


def test_a_request_that_names_another_run_is_named() -> None:
    rows = changed(recorded(), "run.requested", setting("run_id", to="run-2"))

    assert difference(rows) == ("run.accepted", "run_id")


def test_a_request_by_the_name_of_the_strategy_is_the_same_request() -> None:
    assert difference(a_run(strategy_id="rules-only")) == ("", "")


def test_a_run_asked_for_over_rest_has_no_request_to_compare_with() -> None:
    rest = changed(
        without(recorded(), "run.requested"), "run.accepted", setting("source", to="rest")
    )

    assert difference(rest) == ("", "")


@pytest.mark.parametrize(
    ("topic", "edit", "field"),
    [
        ("run.market-open", setting("symbols", to=["NVDA", "TSLA"]), "symbols[0]"),
        ("run.market-open", setting("context", "mode", to="live"), "context.mode"),
        ("run.market-open", setting("exchange", to="NOPE"), "exchange"),
        ("run.market-open", setting("session_open", to=LATER), "session_open"),
        ("run.market-open", setting("session_close", to=LATER), "session_close"),
        ("run.market-open", setting("expires_at", to=LATER), "expires_at"),
        ("run.market-open", setting("market_time", to="2023-06-01T03:00:00Z"), "market_time"),
        ("run.market-open", setting("closed_days", 0, to="2022-05-31"), "closed_days[0]"),
        ("run.broker-ready", setting("closed_days", to=None), "closed_days"),
        ("run.broker-ready", setting("symbols", to=["TSLA"]), "symbols[1]"),
        ("run.broker-ready", setting("session_close", to=LATER), "session_close"),
        ("run.broker-ready", setting("expires_at", to=None), "expires_at"),
        ("run.broker-ready", setting("run_id", to="run-2"), "run_id"),
        ("run.finished", setting("run_id", to="run-2"), "run_id"),
    ],
)
def test_the_heads_of_a_run_carry_the_same_on(topic: str, edit: Edit, field: str) -> None:
    assert difference(changed(recorded(), topic, edit)) == (topic, field)


@pytest.mark.parametrize("topic", ["evidence.captured", "signal.checked"])
@pytest.mark.parametrize(
    ("edit", "field"),
    [
        (setting("context", "mode", to="live"), "context.mode"),
        (setting("context", "limits", "max_order_notional", to="1"), "context.limits.max_order_no"),
        (setting("context", "strategy", "min_confidence", to=0.0), "context.strategy.min_confid"),
        (setting("session_close", to=LATER), "session_close"),
        (setting("expires_at", to=LATER), "expires_at"),
        (setting("expires_at", to=None), "expires_at"),
        (setting("accounts", to=["DU2"]), "accounts[0]"),
        (setting("paper", to=False), "paper"),
        (setting("run_id", to="run-2"), "run_id"),
        (setting("symbol", to="AAPL"), "symbol"),
    ],
)
def test_the_events_of_a_symbol_carry_the_same_on(topic: str, edit: Edit, field: str) -> None:
    event, found = difference(changed(recorded(), topic, edit, place=1))

    assert event.startswith(topic)
    assert found.startswith(field)


@pytest.mark.parametrize(
    ("edit", "field"),
    [
        (setting("mode", to="live"), "mode"),
        (setting("account", to="DU999"), "account"),
        (setting("snapshot", "account", to="dry:1"), "snapshot.account"),
        (setting("snapshot", to=None), "snapshot.account"),
        (setting("strategy_id", to=7), "strategy_id"),
        (setting("switches", to=[]), "switches[0]"),
        (setting("switches", 1, "scope", to="account:DU1"), "switches[1]"),
        (setting("intent_id", to=str(UUID(int=1))), "intent_id"),
        (setting("expires_at", to=None), "expires_at"),
        (setting("expires_at", to=LATER), "expires_at"),
        (setting("seq", to=2), "seq"),
        (setting("closing", to=False), "closing"),
        (setting("decided_at", to=LATER), "decided_at"),
        (setting("limits", "max_order_notional", to="1"), "limits.max_order_notional"),
        (setting("signal_hash", to="0" * 64), "signal_hash"),
    ],
)
def test_an_order_is_the_one_that_its_signal_leads_to(edit: Edit, field: str) -> None:
    rows = changed(recorded(), "order.changed", edit)

    assert difference(rows) == ("order.changed TSLA", field)


def test_an_order_of_a_paper_run_is_for_the_account_of_the_login() -> None:
    rows = changed(a_run(mode="paper"), "order.changed", setting("account", to="DU999"))

    assert difference(rows) == ("order.changed TSLA", "account")


def test_an_end_without_one_of_the_symbols_is_named() -> None:
    def drop_the_last(body: dict[str, Any]) -> None:
        body["symbols"] = body["symbols"][:1]
        left = [SymbolOutcome.model_validate(outcome) for outcome in body["symbols"]]
        body["decision_hash"] = decision_hash_of(left)

    rows = changed(recorded(), "run.finished", drop_the_last)

    assert difference(rows) == ("run.finished", "symbols[1]")


def test_a_second_event_where_there_is_one_is_named() -> None:
    second = changed(recorded(), "signal.checked", setting("market_time", to=LATER))
    forged = next(row for row in second if row["topic"] == "signal.checked")

    assert difference([*recorded(), forged]) == ("signal.checked TSLA", "event")
