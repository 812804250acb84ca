"""A run as the ledger shows it: TSLA is simulated, NVDA held. A test names what it is about."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from cli.ledger import LedgerEntry, read_entry
from cli.story import Story, tell
from shared.events.base import Check, Event, Mode
from shared.events.dead_letter import DeadLetter
from shared.events.evidence import Contract, Evidence, EvidenceCaptured, Indicators, Quote
from shared.events.order import Fill, Order, OrderChanged, OrderState
from shared.events.request import RunRequested
from shared.events.run import (
    Limits,
    Outcome,
    RunAccepted,
    RunBrokerReady,
    RunContext,
    RunFinished,
    RunMarketOpen,
    RunRejected,
    RunWaiting,
    StepFailed,
    Strategy,
    SymbolOutcome,
)
from shared.events.signal import Action, ModelCall, Proposal, SignalChecked

WALL = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
MARKET = datetime(2023, 6, 5, 13, 29, 50, tzinfo=UTC)
BELL = datetime(2023, 6, 5, 13, 30, tzinfo=UTC)
CLOSE = datetime(2023, 6, 5, 20, 0, tzinfo=UTC)
RUN = "run-1"
STAMP = {"occurred_at": WALL, "market_time": MARKET, "run_id": RUN}
SYMBOLS = ("TSLA", "NVDA")

CONTEXT = RunContext(
    strategy=Strategy(
        id=1,
        name="momentum-llm",
        version="1",
        kind="llm",
        symbols=SYMBOLS,
        modes=(Mode.DRY_RUN,),
    ),
    limits=Limits(
        version="1",
        max_order_notional=Decimal(10_000),
        max_position_notional=Decimal(25_000),
        max_gross_exposure=Decimal(80_000),
        max_quote_age_seconds=Decimal(15),
        max_spread_percent=Decimal("0.5"),
        min_confidence=0.7,
        risk_per_trade_percent=Decimal(1),
        dry_run_cash=Decimal(100_000),
    ),
    mode=Mode.DRY_RUN,
)
QUOTE = Quote(
    last=Decimal("217.5"), bid=Decimal("217.49"), ask=Decimal("217.51"), at=BELL, availability="R"
)
INDICATORS = Indicators.model_validate(
    dict.fromkeys(Indicators.model_fields) | {"sma_20": "210.25", "atr_14": "0"}
)
_FOLLOWS = {"context": CONTEXT, "session_close": CLOSE, "accounts": ("DU1",), "paper": True}


def requested() -> RunRequested:
    return RunRequested.model_validate({"strategy_id": 1, "run_id": RUN})


def accepted() -> RunAccepted:
    return RunAccepted(**STAMP, symbols=SYMBOLS, context=CONTEXT, source="run.requested/0/1")


def rejected() -> RunRejected:
    return RunRejected(**STAMP, code="no_symbols", reason="symbols: none", source="x/0/1")


def dead_letter() -> DeadLetter:
    return DeadLetter(
        **STAMP,
        service="api",
        reason="expected a JSON object",
        code="not_json",
        topic="run.requested",
        partition=0,
        offset=1,
        raw_key=None,
        raw_headers=(),
        raw_body=None,
    )


def waiting() -> RunWaiting:
    return RunWaiting(**STAMP, step="market_open", reason="XNYS is closed", until=BELL)


def market_open() -> RunMarketOpen:
    return RunMarketOpen(
        **STAMP,
        symbols=SYMBOLS,
        context=CONTEXT,
        exchange="XNYS",
        session_open=BELL,
        session_close=CLOSE,
        waited=True,
    )


def broker_ready() -> RunBrokerReady:
    return RunBrokerReady(**STAMP, symbols=SYMBOLS, **_FOLLOWS)


def captured(symbol: str = "TSLA") -> EvidenceCaptured:
    evidence = Evidence(contract=_contract(symbol), quote=QUOTE, bars=(), indicators=INDICATORS)
    return EvidenceCaptured(
        **STAMP, **_FOLLOWS, symbol=symbol, evidence=evidence, evidence_hash="e" * 64
    )


def a_call(**changes: Any) -> ModelCall:
    values = {
        "model": "small-model",
        "prompt_version": "momentum-v1",
        "template_hash": "t" * 64,
        "request": '{"messages": [{"role": "user", "content": "What of TSLA?"}]}',
        "answer": '{"action": "BUY"}',
        "prompt_tokens": 900,
        "completion_tokens": 40,
        "latency_ms": 1200,
        "attempts": 1,
    }
    return ModelCall.model_validate(values | changes)


def checked(symbol: str = "TSLA", action: Action = Action.BUY, **changes: Any) -> SignalChecked:
    values = {
        **STAMP,
        **_FOLLOWS,
        "symbol": symbol,
        "source": "llm",
        "action": action,
        "confidence": 0.8,
        "code": "checks_passed",
        "reason": "all checks passed",
        "proposal": Proposal(
            action=Action.BUY, confidence=0.8, stop_loss=Decimal(210), reasons=("it rises",)
        ),
        "checks": (Check(name="confidence", passed=True, required="at least 0.7", found="0.8"),),
        "call": a_call(),
        "contract": _contract(symbol),
        "quote": QUOTE,
        "atr": Decimal(5),
        "evidence_hash": "e" * 64,
        "signal_hash": "5" * 64,
    }
    return SignalChecked.model_validate(values | changes)


def ordered(symbol: str = "TSLA", outcome: Outcome = Outcome.SIMULATED) -> OrderChanged:
    done = outcome is Outcome.SIMULATED
    order = Order(
        side="BUY", quantity=Decimal(45), order_type="LMT", limit_price=QUOTE.ask, tif="DAY"
    )
    fill = Fill(price=QUOTE.ask, quantity=Decimal(45), at=BELL, simulated=True)
    return OrderChanged(
        **STAMP,
        symbol=symbol,
        intent_id=UUID(int=1),
        seq=1,
        state=OrderState(outcome.value),
        closing=True,
        outcome=outcome,
        code=outcome.value,
        reason=f"it is {outcome}",
        mode=Mode.DRY_RUN,
        account="dry:1",
        strategy_id=1,
        order=order if done else None,
        fill=fill if done else None,
        checks=(Check(name="spread", passed=done, required="0 to 0.5 %", found="0.01 %"),),
        snapshot=None,
        limits=CONTEXT.limits,
        switches=(),
        decided_at=BELL,
        signal_hash="5" * 64,
        decision_hash="d" * 64,
    )


def failed(symbol: str | None, step: str, code: str = "llm_timeout") -> StepFailed:
    return StepFailed(**STAMP, symbol=symbol, step=step, code=code, reason="no answer", attempts=2)


def finished(**outcomes: Outcome) -> RunFinished:
    symbols = tuple(
        SymbolOutcome(symbol=s, outcome=o, code=o.value, reason="so", decision_hash="d" * 64)
        for s, o in outcomes.items()
    )
    lost = Outcome.FAILED in outcomes.values()
    status = "failed" if lost else "succeeded"
    return RunFinished.model_validate(
        {**STAMP, "status": status, "decision_hash": "f" * 64, "symbols": symbols}
    )


def a_whole_run() -> tuple[Event, ...]:
    return (
        requested(),
        accepted(),
        waiting(),
        market_open(),
        broker_ready(),
        captured("TSLA"),
        captured("NVDA"),
        checked("TSLA"),
        checked("NVDA", Action.HOLD),
        ordered("TSLA"),
        ordered("NVDA", Outcome.HELD),
        finished(TSLA=Outcome.SIMULATED, NVDA=Outcome.HELD),
    )


def an_entry(event: Event, place: int, after: timedelta) -> LedgerEntry:
    return read_entry(a_row(event, place, after))


def a_row(event: Event, place: int = 0, after: timedelta = timedelta()) -> dict[str, Any]:
    """A row of ``GET /runs/{run_id}/events``."""
    body = event.model_dump(mode="json", exclude_unset=event.type == "run.requested")
    return {
        "id": place + 1,
        "event_id": str(event.event_id),
        "type": event.type,
        "symbol": getattr(event, "symbol", None),
        "source": "openbell/test",
        "topic": event.type,
        "partition": 0,
        "offset": place,
        "timestamp": (WALL + after).isoformat(),
        "headers": {},
        "key": None,
        "body": body,
        "previous_hash": "",
        "hash": "",
        "raw": "",
    }


def a_story(*events: Event, apart: timedelta = timedelta(milliseconds=100)) -> Story:
    """The story of these events, each one a while after the one before."""
    return tell(an_entry(event, place, place * apart) for place, event in enumerate(events))


def _contract(symbol: str) -> Contract:
    return Contract(
        symbol=symbol, conid=1, exchange="NASDAQ", currency="USD", company="A", tick=Decimal("0.01")
    )


def plain(lines: Any) -> str:
    """Lines of rich as one text."""
    return "\n".join(line.plain for line in lines)
