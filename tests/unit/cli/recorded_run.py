"""A finished run as ``trace --json`` prints it, made by the services' own functions.

TSLA rises and is bought; NVDA falls, and there is none to sell. The rows are what the ledger and
REST make of it.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import asdict
from types import SimpleNamespace
from typing import Any

from aiokafka import ConsumerRecord

from cli.chain import _entry
from cli.rows import Row
from services.api.catalog import Catalog
from services.api.closing import decision_hash_of, outcome_of_order, status_of
from services.api.entry import GENESIS, entry_of
from services.api.request import judge
from services.api.views import ledger_event
from services.clock.calendar import session_at
from services.clock.handlers import market_open
from services.execution import handlers as execution
from services.execution.account import account_of
from services.execution.conditions import scopes
from services.execution.decide import decide
from services.gateway.handlers import broker_ready
from services.marketdata.evidence import captured
from services.signals.handlers import signal_checked
from services.signals.prompt import render, request_body
from shared.canonical import sha256_of
from shared.envelope import Message, encode
from shared.events.base import Mode
from shared.events.evidence import EvidenceCaptured
from shared.events.order import AccountSnapshot, OrderChanged, Switch
from shared.events.run import RunAccepted, RunFinished, Strategy
from shared.events.signal import ModelCall, SignalChecked
from tests.unit.cli.recorded_facts import ANSWER, LIMITS, NOW, RULES, evidence_of

Rows = list[dict[str, Any]]
Edit = Callable[[dict[str, Any]], object]

RUN = "run-1"
STAMP = {"occurred_at": NOW, "market_time": NOW}
# All that the services' functions want of their surroundings.
STAGE: Any = SimpleNamespace(stamp=lambda: STAMP)
LOGIN: Any = SimpleNamespace(seen=SimpleNamespace(accounts=("DU1",), paper=True))
SERVICES = {
    "run.accepted": "api",
    "run.market-open": "clock",
    "run.broker-ready": "gateway",
    "evidence.captured": "marketdata",
    "signal.checked": "signals",
    "order.changed": "execution",
    "run.finished": "api",
}


def a_run(strategy: Strategy = RULES, **request: Any) -> Rows:
    """Return the rows of a run that was asked for on the bus."""
    return rows_of(messages(strategy, **request))


def messages(strategy: Strategy = RULES, **request: Any) -> list[Message]:
    asked = {"run_id": RUN, "strategy_id": strategy.id} | request
    requested = Message("run.requested", RUN, {}, json.dumps(asked))
    accepted = _accepted(strategy, asked)
    opened = market_open(STAGE, accepted, session_at("XNYS", NOW), waited=False)
    ready: Any = broker_ready(STAGE, opened, LOGIN)
    evidence = [captured(ready, symbol, evidence_of(symbol), STAMP) for symbol in ready.symbols]
    signals = [signal_checked(STAGE, e, _call(e)) for e in evidence]
    orders = [_order(signal) for signal in signals]
    events = (accepted, opened, ready, *evidence, *signals, *orders, _finished(orders))
    return [requested, *(encode(event, source=SERVICES[event.type]) for event in events)]


def rows_of(records: Iterable[Message]) -> Rows:
    """Return the ledger of these records as REST shows it, each topic counting from zero."""
    offsets: dict[str, int] = {}
    rows: Rows = []
    for place, message in enumerate(records):
        offset = offsets[message.topic] = offsets.get(message.topic, -1) + 1
        entry = entry_of(_record(message, offset))
        known = {row["event_id"] for row in rows}
        entry = entry.under_its_own_id() if str(entry.event_id) in known else entry
        row = asdict(entry) | {"id": place, "previous_hash": "", "hash": ""}
        rows.append(ledger_event(row).model_dump(mode="json"))
    return chained(rows)


def chained(rows: Rows) -> Rows:
    """Return the rows with a chain that is whole, as who rewrites a log would leave them."""
    previous = GENESIS
    for row in rows:
        entry = _entry(Row.model_validate(row))
        row["previous_hash"], previous = previous, entry.hash_after(previous)
        row["hash"] = previous
    return rows


def changed(rows: Rows, topic: str, edit: Edit, *, place: int = 0) -> Rows:
    """Return a copy in which an event was edited, raw text, copy for people and chain alike."""
    copy: Rows = json.loads(json.dumps(rows))
    row = [row for row in copy if row["topic"] == topic][place]
    edit(row["body"])
    row["raw"] = json.dumps(row["body"])
    return chained(copy)


def setting(*steps: str | int, to: object) -> Edit:
    """Return the edit of one field."""

    def edit(body: Any) -> None:
        for step in steps[:-1]:
            body = body[step]
        assert body[steps[-1]] != to
        body[steps[-1]] = to

    return edit


def _accepted(strategy: Strategy, asked: dict[str, Any]) -> RunAccepted:
    judged = judge(asked, Catalog({strategy.id: strategy}, LIMITS), max_symbols=100)
    return RunAccepted(
        **STAMP,
        run_id=RUN,
        expires_at=judged.context.deadline,
        symbols=judged.symbols,
        context=judged.context,
        source="run.requested/0/0",
    )


def _call(event: EvidenceCaptured) -> ModelCall | None:
    if event.context.strategy.kind == "rules":
        return None
    prompt = render(event.evidence, event.context.strategy)
    return ModelCall(
        model="small",
        prompt_version=prompt.version,
        template_hash=prompt.template_hash,
        request=request_body(prompt, model="small", max_tokens=256),
        answer=ANSWER,
        prompt_tokens=900,
        completion_tokens=40,
        latency_ms=1200,
        attempts=1,
        answer_hash=sha256_of(ANSWER),
    )


def _order(signal: SignalChecked) -> OrderChanged:
    dry_run = signal.context.mode is Mode.DRY_RUN
    account = account_of(signal)
    snapshot = AccountSnapshot(account=account, cash=LIMITS.dry_run_cash, positions=())
    booked = snapshot if dry_run else None
    switches = tuple(
        Switch(scope=scope, halted=False, why="never halted")
        for scope in scopes(account, signal.context.strategy.id)
    )
    decision = decide(signal, booked, switches, NOW)
    return execution._event(STAMP, signal, booked, switches, decision)


def _finished(orders: list[OrderChanged]) -> RunFinished:
    told = [outcome for order in orders if (outcome := outcome_of_order(order)) is not None]
    return RunFinished(
        **STAMP,
        run_id=RUN,
        status=status_of(told),
        decision_hash=decision_hash_of(told),
        symbols=tuple(told),
    )


def _record(message: Message, offset: int) -> "ConsumerRecord[bytes, bytes]":
    return ConsumerRecord(
        topic=message.topic,
        partition=0,
        offset=offset,
        timestamp=round(NOW.timestamp() * 1000) + 123,
        timestamp_type=0,
        key=message.key.encode() or None,
        value=message.body.encode(),
        checksum=None,
        serialized_key_size=-1,
        serialized_value_size=-1,
        headers=[(name, value.encode()) for name, value in message.headers.items()],
    )
