"""Facts as execution meets them; each test names only what it is about."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from services.execution.conditions import scopes
from shared.events.base import Mode
from shared.events.evidence import Contract, Quote
from shared.events.order import AccountSnapshot, Position, Switch
from shared.events.run import Limits, RunContext, Strategy
from shared.events.signal import Action, Proposal, SignalChecked

NOW = datetime(2023, 6, 1, 14, 0, tzinfo=UTC)
CLOSE = datetime(2023, 6, 1, 20, 0, tzinfo=UTC)
ACCOUNT = "dry:1"


def limits(**changes: Any) -> Limits:
    """Limits of a small account."""
    values = {
        "version": "1",
        "max_order_notional": 10_000,
        "max_position_notional": 25_000,
        "max_gross_exposure": 80_000,
        "max_quote_age_seconds": 15,
        "max_spread_percent": "0.5",
        "min_confidence": 0.7,
        "risk_per_trade_percent": 1,
        "dry_run_cash": 100_000,
    }
    return Limits.model_validate(values | changes)


def strategy(**changes: Any) -> Strategy:
    values = {
        "id": 1,
        "name": "momentum-llm",
        "version": "1",
        "kind": "llm",
        "symbols": ("TSLA", "NVDA"),
        "modes": (Mode.DRY_RUN, Mode.PAPER),
    }
    return Strategy.model_validate(values | changes)


def a_quote(bid: str = "99.95", ask: str = "100", at: datetime | None = None) -> Quote:
    moment = NOW - timedelta(seconds=2) if at is None else at
    return Quote.model_validate(
        {"last": bid, "bid": bid, "ask": ask, "at": moment, "availability": "R"}
    )


def a_signal(action: Action = Action.BUY, **changes: Any) -> SignalChecked:
    """A signal that passes; ``mode``, ``limits``, ``strategy``, ``account`` go to its context.

    ``stop_loss`` goes to its proposal; the stop of a buy is one and a half ranges below its ask.
    """
    context = RunContext(
        strategy=changes.pop("strategy", strategy()),
        limits=changes.pop("limits", limits()),
        mode=changes.pop("mode", Mode.DRY_RUN),
        account=changes.pop("account", None),
    )
    symbol = changes.get("symbol", "TSLA")
    values = {
        "occurred_at": NOW,
        "market_time": NOW,
        "run_id": "run-1",
        "symbol": symbol,
        "expires_at": NOW + timedelta(minutes=30),
        "context": context,
        "session_close": CLOSE,
        "accounts": ("DU1234567",),
        "paper": True,
        "source": "llm",
        "action": action,
        "confidence": 0.8,
        "code": "passed",
        "reason": "all checks passed",
        "proposal": a_proposal(action, changes.pop("stop_loss", "92.5")),
        "checks": (),
        "call": None,
        "contract": a_contract(symbol),
        "quote": a_quote(),
        "atr": Decimal(5),
        "evidence_hash": "e" * 64,
        "signal_hash": "5" * 64,
    }
    return SignalChecked.model_validate(values | changes)


def a_proposal(action: Action, stop_loss: Decimal | str | None) -> Proposal:
    return Proposal.model_validate({"action": action, "confidence": 0.8, "stop_loss": stop_loss})


def a_contract(symbol: str = "TSLA", currency: str = "USD") -> Contract:
    return Contract(
        symbol=symbol,
        conid=76792991,
        exchange="NASDAQ",
        currency=currency,
        company="Tesla Inc",
        tick=Decimal("0.01"),
    )


def an_account(cash: Decimal | int = 100_000, **held: tuple[int, int]) -> AccountSnapshot:
    """An account with shares and their average price by symbol."""
    positions = tuple(
        Position(symbol=symbol, quantity=Decimal(quantity), average_price=Decimal(price))
        for symbol, (quantity, price) in held.items()
    )
    return AccountSnapshot(account=ACCOUNT, cash=Decimal(cash), positions=positions)


def running(*halted: str, of: int = 1) -> tuple[Switch, ...]:
    """The switches of a strategy, running but for those named."""
    return tuple(
        Switch(scope=scope, halted=scope in halted, why="the operator says so")
        for scope in scopes(ACCOUNT, of)
    )
