"""What REST shows of runs and of the ledger."""

import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from services.api.store import Run
from shared.events.base import Mode
from shared.events.run import SymbolOutcome

_BRACKET = re.compile(r"[\[\]{}]")
# Our events nest five deep; pydantic does not write what nests some hundreds deep.
_DEEPEST = 100


class Accepted(BaseModel):
    """The answer to a run-request. ``new`` is False for a repeat of a known request."""

    run_id: str
    new: bool


class SymbolView(BaseModel):
    """A symbol of a run; ``outcome`` is None while it is under way."""

    symbol: str
    outcome: str | None = None
    code: str | None = None
    reason: str | None = None
    decision_hash: str | None = None


class RunView(BaseModel):
    """A run. ``waiting`` says what it waits for, where it does."""

    run_id: str
    status: str
    mode: Mode
    strategy_id: int
    strategy: str
    decision_hash: str | None
    accepted_at: datetime
    finished_at: datetime | None
    step: str | None = None
    waiting: str | None = None
    symbols: list[SymbolView]


class LedgerEvent(BaseModel):
    """An event of the ledger: where it was, what it said, and its place in the run's chain."""

    id: int
    event_id: str
    type: str
    symbol: str | None
    source: str
    topic: str
    partition: int
    offset: int
    timestamp: datetime
    headers: dict[str, str]
    key: str | None
    body: Any
    previous_hash: str
    hash: str
    raw: str


def run_view(run: Run, events: Sequence[dict[str, Any]] = ()) -> RunView:
    """Return a run as REST shows it; ``events`` of the ledger say where it is."""
    last = events[-1] if events else None
    running = run.status == "running"
    waits = running and last is not None and last["type"] == "run.waiting"
    return RunView(
        run_id=run.accepted.run_id,
        status=run.status,
        mode=run.accepted.context.mode,
        strategy_id=run.accepted.context.strategy.id,
        strategy=run.accepted.context.strategy.name,
        decision_hash=run.decision_hash,
        accepted_at=run.accepted_at,
        finished_at=run.finished_at,
        step=last["type"] if last and running else None,
        waiting=_reason(last["body"]) if last and waits else None,
        symbols=[_symbol(symbol) for symbol in run.symbols],
    )


def _shown(text: str) -> Any:
    """Return a body as JSON, where it is some that can be shown, else as text."""
    depth = deepest = 0
    for bracket in _BRACKET.findall(text):
        depth += 1 if bracket in "[{" else -1
        deepest = max(deepest, depth)
    try:
        return json.loads(text) if deepest <= _DEEPEST else text
    except ValueError:
        return text


def _reason(body: str) -> str | None:
    """Return why a run waits; anybody may have written the event."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return None
    reason = fields.get("reason") if isinstance(fields, dict) else None
    return reason if isinstance(reason, str) else None


def _symbol(symbol: SymbolOutcome | str) -> SymbolView:
    if isinstance(symbol, str):
        return SymbolView(symbol=symbol)
    return SymbolView(**symbol.model_dump())


def ledger_event(row: dict[str, Any]) -> LedgerEvent:
    """Return a row of the ledger; ``raw`` is the body byte for byte."""
    fields = {name: row[name] for name in LedgerEvent.model_fields if name in row}
    return LedgerEvent(
        **fields | {"event_id": str(row["event_id"]), "body": _shown(row["body"])}, raw=row["body"]
    )
