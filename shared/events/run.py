"""The run: what was asked, what was accepted, how it went on, how it ended."""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Literal

from pydantic import Field

from shared.events.base import Event, Fact, Mode, Money, Reason, RunEvent, Symbol, UtcTime


class Strategy(Fact):
    """A strategy as resolved when the run was accepted. ``version`` is the hash of its content."""

    id: int
    name: str
    version: str
    kind: Literal["llm", "rules"]
    exchange: str = "XNYS"
    symbols: tuple[Symbol, ...]
    modes: tuple[Mode, ...]
    prompt: str | None = None
    min_confidence: float = Field(default=0.7, ge=0, le=1)
    account: str | None = None
    description: str = ""


class Limits(Fact):
    """Limits of a deployment as resolved when the run was accepted. Money in US dollars."""

    version: str
    max_order_notional: Money
    max_position_notional: Money
    max_gross_exposure: Money
    max_quote_age_seconds: Decimal
    max_spread_percent: Decimal
    min_confidence: float = Field(ge=0, le=1)
    risk_per_trade_percent: Decimal
    dry_run_cash: Money


class RunContext(Fact):
    """What travels with a run from acceptance to outcome, so that no step must ask another."""

    strategy: Strategy
    limits: Limits
    mode: Mode
    account: str | None = None
    deadline: UtcTime | None = None
    note: str | None = None


class RunAccepted(RunEvent):
    """A run-request was valid; its strategy and limits are those of this moment."""

    type: ClassVar[str] = "run.accepted"

    symbols: tuple[Symbol, ...]
    context: RunContext
    source: str


class RunRejected(Event):
    """A run-request was refused. ``run_id`` is the one given, else the one it would have had."""

    type: ClassVar[str] = "run.rejected"

    run_id: str
    code: str
    reason: Reason
    request: dict[str, Any] | None = None
    source: str

    def identity(self) -> tuple[object, ...]:
        return (self.run_id, self.source)

    def key(self) -> str:
        return self.run_id


class RunWaiting(RunEvent):
    """A step holds the run until something happens; published once per step."""

    type: ClassVar[str] = "run.waiting"

    step: str
    reason: Reason
    until: UtcTime | None = None

    def identity(self) -> tuple[object, ...]:
        return (self.run_id, self.step)


class RunMarketOpen(RunEvent):
    """The exchange is open. ``expires_at`` is set from here on.

    ``closed_days`` are the weekdays of the last 400 days on which it did not trade: with them every
    trading day of that time is known.
    """

    type: ClassVar[str] = "run.market-open"

    symbols: tuple[Symbol, ...]
    context: RunContext
    exchange: str
    session_open: UtcTime
    session_close: UtcTime
    closed_days: tuple[date, ...] | None = None
    waited: bool


class RunBrokerReady(RunEvent):
    """The broker session is ready for market data and orders."""

    type: ClassVar[str] = "run.broker-ready"

    symbols: tuple[Symbol, ...]
    context: RunContext
    session_close: UtcTime
    closed_days: tuple[date, ...] | None = None
    accounts: tuple[str, ...]
    paper: bool


class StepFailed(RunEvent):
    """A step could not do its work: terminal for the symbol, or for the run where there is none.

    ``evidence_hash`` is that of the evidence it had before it, None where there was none yet.
    """

    type: ClassVar[str] = "step.failed"

    symbol: Symbol | None = None
    step: str
    code: str
    reason: Reason
    attempts: int = 1
    evidence_hash: str | None = None

    def identity(self) -> tuple[object, ...]:
        return (self.run_id, self.symbol, self.step)

    def key(self) -> str:
        return self.run_id


class Outcome(StrEnum):
    """What became of a symbol."""

    HELD = "held"
    DECLINED = "declined"
    SIMULATED = "simulated"
    SUBMITTED = "submitted"
    REJECTED = "rejected"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class SymbolOutcome(Fact):
    """One symbol of a finished run. ``decision_hash`` covers its evidence up to its outcome."""

    symbol: Symbol
    outcome: Outcome
    code: str
    reason: Reason
    decision_hash: str


class RunFinished(RunEvent):
    """Every symbol has its first outcome. Published once per run."""

    type: ClassVar[str] = "run.finished"

    status: Literal["succeeded", "failed", "expired", "cancelled"]
    decision_hash: str
    symbols: tuple[SymbolOutcome, ...]
