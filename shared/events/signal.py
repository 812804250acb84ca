"""The signal: what was proposed, by whom, and what code made of it."""

from enum import StrEnum
from typing import ClassVar, Literal

from pydantic import Field

from shared.events.base import Check, Fact, Money, Reason, SymbolEvent, UtcTime
from shared.events.evidence import Contract, Quote
from shared.events.run import RunContext


class Action(StrEnum):
    """What a proposal asks for."""

    BUY = "BUY"
    SELL = "SELL"
    HOLD = "HOLD"


class Proposal(Fact):
    """What the model or the rules said, as parsed; levels in the contract's currency."""

    action: Action
    confidence: float = Field(ge=0, le=1, allow_inf_nan=False)
    stop_loss: Money | None = None
    take_profit: Money | None = None
    reasons: tuple[str, ...] = ()


class ModelCall(Fact):
    """One call of the model: ``request`` holds the exact bytes sent, ``answer`` those it said."""

    model: str
    prompt_version: str
    template_hash: str
    request: str
    answer: str
    prompt_tokens: int
    completion_tokens: int
    latency_ms: int
    attempts: int
    answer_hash: str | None = None


class SignalChecked(SymbolEvent):
    """A proposal after all checks. ``action`` is HOLD where any check failed.

    It carries what execution needs and no bars.
    """

    type: ClassVar[str] = "signal.checked"

    context: RunContext
    session_close: UtcTime
    accounts: tuple[str, ...]
    paper: bool
    source: Literal["llm", "rules"]
    action: Action
    confidence: float
    code: str
    reason: Reason
    proposal: Proposal | None
    checks: tuple[Check, ...]
    call: ModelCall | None
    contract: Contract
    quote: Quote
    atr: Money | None
    evidence_hash: str
    signal_hash: str
