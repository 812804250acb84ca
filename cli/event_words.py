"""What an event says, in a few words. Pure."""

import json
from collections.abc import Callable
from typing import Any

from cli.ledger import LedgerEntry
from cli.words import exchange_time, price
from shared.events.base import Event
from shared.events.dead_letter import DeadLetter
from shared.events.evidence import EvidenceCaptured
from shared.events.order import OrderChanged
from shared.events.request import RunRequested
from shared.events.run import (
    RunAccepted,
    RunBrokerReady,
    RunFinished,
    RunMarketOpen,
    RunRejected,
    RunWaiting,
    StepFailed,
)
from shared.events.signal import SignalChecked


def words_of(entry: LedgerEntry) -> str:
    """Return what an entry says; of what is no event of ours, the body as it stands."""
    event = entry.event
    if event is None:
        return entry.body if isinstance(entry.body, str) else json.dumps(entry.body)
    return _WORDS[type(event)](event)


def _requested(event: RunRequested) -> str:
    return json.dumps(event.fields, ensure_ascii=False)


def _accepted(event: RunAccepted) -> str:
    context = event.context
    who = f"{context.strategy.name} (strategy {context.strategy.id}), {context.mode}"
    note = f", note: {context.note}" if context.note else ""
    return f"{', '.join(event.symbols)} by {who}, from {event.source}{note}"


def _market_open(event: RunMarketOpen) -> str:
    how = "opened" if event.waited else "is open"
    ends = f", expires {exchange_time(event.expires_at)}" if event.expires_at else ""
    return f"{event.exchange} {how}{ends}"


def _broker_ready(event: RunBrokerReady) -> str:
    return f"accounts {', '.join(event.accounts)}{' (paper)' if event.paper else ''}"


def _evidence(event: EvidenceCaptured) -> str:
    quote, bars = event.evidence.quote, len(event.evidence.bars)
    return f"last {price(quote.last)}, {bars} bars, hash {event.evidence_hash[:12]}"


def _signal(event: SignalChecked) -> str:
    return f"{event.action} {event.confidence} ({event.source}) {event.code}: {event.reason}"


def _order(event: OrderChanged) -> str:
    closing = f", closes as {event.outcome}" if event.closing else ""
    return f"{event.state}{closing}, {event.code}: {event.reason}"


def _failed(event: StepFailed) -> str:
    return f"{event.step}, {event.code}: {event.reason}"


def _coded(event: RunRejected | DeadLetter) -> str:
    return f"{event.code}: {event.reason}"


def _finished(event: RunFinished) -> str:
    return f"{event.status}, decision hash {event.decision_hash}"


def _waiting(event: RunWaiting) -> str:
    return f"{event.step}: {event.reason}"


_WORDS: dict[type[Event], Callable[[Any], str]] = {
    RunRequested: _requested,
    RunAccepted: _accepted,
    RunRejected: _coded,
    RunWaiting: _waiting,
    RunMarketOpen: _market_open,
    RunBrokerReady: _broker_ready,
    EvidenceCaptured: _evidence,
    SignalChecked: _signal,
    OrderChanged: _order,
    StepFailed: _failed,
    RunFinished: _finished,
    DeadLetter: _coded,
}
