"""Runs as the services publish them, under any id: whole ones, and ones that failed in part."""

from aiokafka import ConsumerRecord

from shared.envelope import Message, encode
from shared.events.run import Outcome, RunFinished, StepFailed, SymbolOutcome
from tests.unit.cli.builders import waiting as run_waiting
from tests.unit.cli.recorded_facts import LLM
from tests.unit.cli.recorded_run import RUN, STAMP, _record, messages

_OF_NVDA = ("signal.checked", "order.changed")


def run_messages(run_id: str, *, fails: bool = False, waiting: bool = False) -> list[Message]:
    """Return a run's messages from ``run.accepted`` on; where it ``fails``, NVDA does alone."""
    _, accepted, *others = messages(LLM)
    told = [accepted, *others]
    if waiting:
        told.insert(1, encode(run_waiting(), source="clock"))
    if fails:
        told = _without_an_answer(told)
    return [_under(run_id, message) for message in told]


def record_of(message: Message, offset: int) -> "ConsumerRecord[bytes, bytes]":
    """Return a message as it comes off the bus."""
    return _record(message, offset)


def _without_an_answer(told: list[Message]) -> list[Message]:
    """Replace NVDA's signal and order by the failure of its step."""
    kept = [m for m in told if not (m.topic in _OF_NVDA and '"symbol":"NVDA"' in m.body)]
    finished = RunFinished.model_validate_json(kept.pop().body)
    failed = StepFailed(
        **STAMP, run_id=RUN, symbol="NVDA", step="signal", code="llm_timeout", reason="no answer"
    )
    symbols = tuple(_failed(s) if s.symbol == "NVDA" else s for s in finished.symbols)
    end = finished.model_copy(update={"status": "failed", "symbols": symbols})
    return [*kept, encode(failed, source="signals"), encode(end, source="api")]


def _failed(symbol: SymbolOutcome) -> SymbolOutcome:
    return symbol.model_copy(update={"outcome": Outcome.FAILED, "code": "llm_timeout"})


def _under(run_id: str, message: Message) -> Message:
    body = message.body.replace(f'"run_id":"{RUN}"', f'"run_id":"{run_id}"')
    key = message.key.replace(RUN, run_id)
    return Message(message.topic, key, message.headers, body)
