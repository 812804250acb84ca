"""How far a run is, step by step. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cli.story import Story
from shared.events.base import Event
from shared.events.evidence import EvidenceCaptured
from shared.events.order import OrderChanged
from shared.events.run import (
    RunAccepted,
    RunBrokerReady,
    RunFinished,
    RunMarketOpen,
    StepFailed,
)
from shared.events.signal import SignalChecked

Condition = Literal["pending", "active", "waiting", "done", "failed", "skipped"]

_HEADS: dict[str, type[Event]] = {
    "accept": RunAccepted,
    "market_open": RunMarketOpen,
    "broker_ready": RunBrokerReady,
}
_PER_SYMBOL: dict[str, type[Event]] = {
    "evidence": EvidenceCaptured,
    "signal": SignalChecked,
    "order": OrderChanged,
}
STEPS = (*_HEADS, *_PER_SYMBOL, "finish")


@dataclass(frozen=True)
class Step:
    """One step. ``began`` and ``ended`` are wall time; ``note`` says what there is to say."""

    name: str
    condition: Condition
    began: datetime | None = None
    ended: datetime | None = None
    note: str = ""

    @property
    def seconds(self) -> float | None:
        """Return how long it took; None where it has not ended."""
        if self.began is None or self.ended is None:
            return None
        return (self.ended - self.began).total_seconds()


def steps_of(story: Story) -> tuple[Step, ...]:
    """Return all steps in their order; each begins when the one before it has ended."""
    steps: list[Step] = []
    began = story.entries[0].timestamp if story.entries else None
    for name in STEPS:
        step = _step(story, name, began)
        steps.append(step)
        began = step.ended
    return tuple(steps)


def _step(story: Story, name: str, began: datetime | None) -> Step:
    if began is None:
        return Step(name, "pending")
    if name == "accept" and story.refusal:
        return Step(name, "failed", began, note=story.refusal.reason)
    if name in _PER_SYMBOL:
        return _symbol_step(story, name, began)
    return _head_step(story, name, began)


def _head_step(story: Story, name: str, began: datetime) -> Step:
    event = story.first(_HEADS.get(name, RunFinished))
    failed = next((f for f in story.of(StepFailed) if f.step == name), None)
    if event is not None:
        return Step(name, "done", began, story.at(event), _head_note(event))
    if failed is not None:
        return Step(name, "failed", began, story.at(failed), f"{failed.code}: {failed.reason}")
    if _whole_run_failed(story):
        return Step(name, "active" if name == "finish" else "skipped", began, began)
    waiting = story.waiting
    if waiting is not None and waiting.step == name:
        return Step(name, "waiting", began, note=waiting.reason)
    return Step(name, "active", began)


def _symbol_step(story: Story, name: str, began: datetime) -> Step:
    model = _PER_SYMBOL[name]
    done: dict[str, Event] = {}
    failed: dict[str, StepFailed] = {}
    for symbol in story.symbols:
        events = [e for e in story.of(model, symbol) if getattr(e, "closing", True)]
        failure = story.symbol(symbol).failure
        if events:
            done[symbol] = events[0]
        elif failure is not None:
            failed[symbol] = failure
    here = [f for f in failed.values() if f.step == name]
    note = _symbol_note(story, len(done), here)
    if len(done) + len(failed) < len(story.symbols):
        return Step(name, "active", began, note=note)
    ended = max((story.at(e) for e in (*done.values(), *here)), default=began)
    if not done and not here:
        return Step(name, "skipped", began, began)
    return Step(name, "failed" if here else "done", began, max(ended, began), note)


def _symbol_note(story: Story, done: int, failed: list[StepFailed]) -> str:
    words = [f"{done} of {len(story.symbols)} symbols"]
    words += [f"{f.symbol or 'all'}: {f.code}" for f in failed]
    return ", ".join(words)


def _whole_run_failed(story: Story) -> bool:
    return any(f.symbol is None for f in story.of(StepFailed))


def _head_note(event: Event) -> str:
    if isinstance(event, RunAccepted):
        return f"{', '.join(event.symbols)} by {event.context.strategy.name}"
    if isinstance(event, RunMarketOpen):
        return f"{event.exchange} opened" if event.waited else f"{event.exchange} is open"
    if isinstance(event, RunBrokerReady):
        return f"account {', '.join(event.accounts)}{' (paper)' if event.paper else ''}"
    return event.status if isinstance(event, RunFinished) else ""
