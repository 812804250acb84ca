"""Retelling a run: everything in its events that is a pure function, computed again. No I/O.

Each step is recomputed from what the log says went into it, so that the first field that differs
is the one that was changed, in the log or in the code.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from services.api.closing import (
    decision_hash_of,
    outcome_of_failure,
    outcome_of_order,
    status_of,
)
from services.clock.calendar import expiry, session_at
from services.execution.decide import decide as decide_order
from services.marketdata.evidence import fingerprints
from services.marketdata.indicators import indicators
from services.signals import rules
from services.signals.answer import read
from services.signals.decide import decide as decide_signal
from services.signals.prompt import UnknownPromptError, render, request_body
from shared.canonical import plain, sha256_of
from shared.envelope import first_problem
from shared.events.base import Event
from shared.events.evidence import EvidenceCaptured
from shared.events.order import OrderChanged
from shared.events.run import RunFinished, RunMarketOpen, StepFailed, SymbolOutcome
from shared.events.signal import ModelCall, SignalChecked
from shared.topics import BY_NAME


@dataclass(frozen=True)
class Difference:
    """The first field in which the log and its retelling are not the same."""

    event: str
    field: str
    recorded: str
    recomputed: str

    def __str__(self) -> str:
        return (
            f"{self.event}: {self.field} differs\n"
            f"  recorded   {self.recorded}\n  recomputed {self.recomputed}"
        )


def retell(bodies: Sequence[tuple[str, str]]) -> Difference | None:
    """Return the first difference in a run, or None where all is identical.

    ``bodies`` are the events' types and raw JSON, in the order of the log.
    """
    try:
        events = [BY_NAME[name].event.model_validate_json(body) for name, body in bodies]
    except ValidationError as e:
        return Difference(e.title, first_problem(e), "not the event any more", "a valid event")
    return next((d for event in events for d in _retell_one(event, events)), None)


def _retell_one(event: Event, events: Sequence[Event]) -> Iterator[Difference]:
    retold = _PARTS.get(type(event))
    if retold is None:
        return
    label = f"{event.type} {getattr(event, 'symbol', '')}".strip()
    for field, recorded, recomputed in retold(event, events):
        found = first_difference(plain(recorded), plain(recomputed), field)
        if found is not None:
            yield Difference(label, *found)


def first_difference(recorded: Any, recomputed: Any, path: str) -> tuple[str, str, str] | None:
    """Return path, recorded and recomputed value of the first difference of two JSON values."""
    if isinstance(recorded, Mapping) and isinstance(recomputed, Mapping):
        pairs = [
            (f"{path}.{name}", recorded.get(name), recomputed.get(name))
            for name in (*recorded, *(n for n in recomputed if n not in recorded))
        ]
    elif isinstance(recorded, list) and isinstance(recomputed, list):
        longer = range(max(len(recorded), len(recomputed)))
        pairs = [(f"{path}[{i}]", _at(recorded, i), _at(recomputed, i)) for i in longer]
    elif recorded == recomputed:
        return None
    else:
        return path, _words(recorded, recomputed), _words(recomputed, recorded)
    found = (first_difference(a, b, where) for where, a, b in pairs)
    return next((difference for difference in found if difference is not None), None)


def _at(values: list[Any], place: int) -> Any:
    return values[place] if place < len(values) else None


def _words(value: Any, other: Any) -> str:
    """Return a value; of two long texts, the words around the place where they part."""
    if not (isinstance(value, str) and isinstance(other, str)):
        return json.dumps(value, ensure_ascii=False)
    around = 40
    pairs = zip(value, other, strict=False)
    apart = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(value), len(other)))
    start = max(0, apart - around)
    return json.dumps(value[start : apart + around], ensure_ascii=False)


Parts = Iterator[tuple[str, Any, Any]]


def _market_open(event: RunMarketOpen, _: Sequence[Event]) -> Parts:
    trading = session_at(event.exchange, event.market_time)
    yield "session_open", event.session_open.isoformat(), trading.open.isoformat()
    yield "session_close", event.session_close.isoformat(), trading.close.isoformat()
    ends = expiry(event.market_time, trading.close, event.context.deadline)
    yield "expires_at", event.expires_at.isoformat() if event.expires_at else None, ends.isoformat()


def _evidence(event: EvidenceCaptured, _: Sequence[Event]) -> Parts:
    evidence = event.evidence
    found = fingerprints(evidence)
    for name in (*event.fingerprints, *found):
        yield f"evidence.{name}", event.fingerprints.get(name), found.get(name)
    yield "evidence.indicators", evidence.indicators, indicators(evidence.bars)
    yield "evidence_hash", event.evidence_hash, sha256_of(evidence)


def _signal(event: SignalChecked, events: Sequence[Event]) -> Parts:
    captured = _one(events, EvidenceCaptured, event.symbol)
    if captured is None:
        yield "evidence_hash", event.evidence_hash, None
        return
    evidence = captured.evidence
    yield "evidence_hash", event.evidence_hash, captured.evidence_hash
    yield "contract", event.contract, evidence.contract
    yield "quote", event.quote, evidence.quote
    yield "atr", plain_text(event.atr), plain_text(evidence.indicators.atr_14)
    if event.call is not None:
        yield from _call(event.call, captured)
    proposed = rules.vote(evidence) if event.call is None else read(event.call.answer)
    decided = decide_signal(captured, proposed, event.call)
    for field in ("proposal", "checks", *type(decided).model_fields):
        yield field, getattr(event, field), getattr(decided, field)


def _call(call: ModelCall, captured: EvidenceCaptured) -> Parts:
    try:
        prompt = render(captured.evidence, captured.context.strategy)
    except UnknownPromptError as e:
        yield "call.prompt_version", call.prompt_version, str(e)
        return
    sent = json.loads(call.request)
    yield "call.request.messages", sent["messages"], [dict(m) for m in prompt.messages]
    body = request_body(prompt, model=call.model, max_tokens=sent["max_tokens"])
    yield "call.request", call.request, body
    yield "call.prompt_version", call.prompt_version, prompt.version
    yield "call.template_hash", call.template_hash, prompt.template_hash
    if call.answer_hash is not None:
        yield "call.answer", call.answer_hash, sha256_of(call.answer)


def _order(event: OrderChanged, events: Sequence[Event]) -> Parts:
    signal = _one(events, SignalChecked, event.symbol)
    if signal is None:
        yield "signal_hash", event.signal_hash, None
        return
    yield "signal_hash", event.signal_hash, signal.signal_hash
    yield "limits", event.limits, signal.context.limits
    decision = decide_order(signal, event.snapshot, event.switches, event.decided_at)
    for field in ("checks", "order", "fill", "state", "outcome", "code", "reason", "decision_hash"):
        yield field, getattr(event, field), getattr(decision, field)


def _finished(event: RunFinished, events: Sequence[Event]) -> Parts:
    outcomes = [_outcome(recorded, events) for recorded in event.symbols]
    yield "symbols", event.symbols, outcomes
    yield "status", event.status, status_of([o for o in outcomes if o is not None])
    known = [o for o in outcomes if o is not None]
    yield "decision_hash", event.decision_hash, decision_hash_of(known)


def _outcome(recorded: SymbolOutcome, events: Sequence[Event]) -> SymbolOutcome | None:
    """Return what the log says of a symbol: as the run's end says, else what it says first."""
    said = list(_said(recorded.symbol, events))
    alike = [outcome for outcome in said if outcome.outcome == recorded.outcome]
    return next(iter(alike + said), None)


def _said(symbol: str, events: Sequence[Event]) -> Iterator[SymbolOutcome]:
    for event in events:
        told: SymbolOutcome | None = None
        if isinstance(event, OrderChanged) and event.symbol == symbol:
            told = outcome_of_order(event)
        elif isinstance(event, StepFailed) and event.symbol in {symbol, None}:
            told = outcome_of_failure(event, symbol)
        if told is not None:
            yield told


def _one(events: Sequence[Event], model: type[Any], symbol: str) -> Any:
    return next((e for e in events if isinstance(e, model) and e.symbol == symbol), None)


def plain_text(value: object) -> str | None:
    """Return a number as the log writes it."""
    return None if value is None else str(value)


_PARTS: dict[type[Event], Callable[[Any, Sequence[Event]], Parts]] = {
    RunMarketOpen: _market_open,
    EvidenceCaptured: _evidence,
    SignalChecked: _signal,
    OrderChanged: _order,
    RunFinished: _finished,
}
