"""The signal, computed again: what the model was asked, and what code made of its answer."""

import json

from cli.differences import Parts
from cli.retold.log import Log
from services.signals import rules
from services.signals.answer import read
from services.signals.decide import Decided, decide
from services.signals.prompt import UnknownPromptError, render, request_body
from shared.canonical import sha256_of
from shared.events.evidence import EvidenceCaptured
from shared.events.signal import ModelCall, SignalChecked


def facts(event: SignalChecked, log: Log) -> Parts:
    """Yield what a signal has from its evidence."""
    captured = log.first(EvidenceCaptured, event.symbol)
    yield "evidence_hash", event.evidence_hash, captured and captured.evidence_hash
    if captured is not None:
        yield "contract", event.contract, captured.evidence.contract
        yield "quote", event.quote, captured.evidence.quote
        yield "atr", event.atr, captured.evidence.indicators.atr_14


def question(event: SignalChecked, log: Log) -> Parts:
    """Yield what was asked; rules ask no model."""
    kind = event.context.strategy.kind
    yield "call", "rules" if event.call is None else "llm", kind
    captured = log.first(EvidenceCaptured, event.symbol)
    if event.call is not None and captured is not None:
        yield from _asked(event.call, captured)


def _asked(call: ModelCall, captured: EvidenceCaptured) -> Parts:
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


def answer(event: SignalChecked, _: Log) -> Parts:
    """Yield the hash of what the model said, where it is recorded."""
    if event.call is not None and event.call.answer_hash is not None:
        yield "call.answer", event.call.answer_hash, sha256_of(event.call.answer)


def decision(event: SignalChecked, log: Log) -> Parts:
    """Yield what code made of the proposal."""
    captured = log.first(EvidenceCaptured, event.symbol)
    if captured is None:
        return
    proposed = rules.vote(captured.evidence) if event.call is None else read(event.call.answer)
    decided = decide(captured, proposed, event.call)
    for field in ("proposal", "checks", *Decided.model_fields):
        yield field, getattr(event, field), getattr(decided, field)
