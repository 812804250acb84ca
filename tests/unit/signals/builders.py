"""Facts as signals meets them; each test names only what it is about."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from shared.canonical import sha256_of
from shared.events.base import Mode
from shared.events.evidence import Bar, Contract, Evidence, EvidenceCaptured, Indicators, Quote
from shared.events.run import Limits, RunContext, Strategy
from shared.events.signal import Action, ModelCall, Proposal

NOW = datetime(2023, 6, 1, 14, 0, tzinfo=UTC)


def a_quote(**changes: Any) -> Quote:
    """A quote a cent either side of 100."""
    fields = {"last": "100.00", "bid": "99.99", "ask": "100.01", "prior_close": "99.00"}
    return Quote.model_validate({**fields, "at": NOW, "availability": "R", **changes})


def indicators(**changes: Any) -> Indicators:
    """Indicators of a calm rise, with an ATR of 2."""
    fields: dict[str, Any] = {
        "sma_20": "98.00",
        "sma_50": "95.00",
        "sma_200": "90.00",
        "rsi_14": "60.0",
        "macd": "1.20",
        "macd_signal": "0.90",
        "macd_histogram": "0.30",
        "atr_14": "2.00",
        "bollinger_upper": "102.00",
        "bollinger_lower": "94.00",
        "high_20": "101.00",
        "low_20": "93.00",
        "change_5d_percent": "1.50",
        "volume_ratio_20": "1.10",
    }
    return Indicators.model_validate({**fields, **changes})


def unknown_indicators(**changes: Any) -> Indicators:
    """Indicators of a stock that was listed yesterday."""
    return Indicators.model_validate({**dict.fromkeys(Indicators.model_fields), **changes})


def bars(count: int = 12) -> tuple[Bar, ...]:
    """Days that end on the 31st of May; the close of each names it."""
    first = date(2023, 5, 31) - timedelta(days=count - 1)
    return tuple(
        Bar(
            date=first + timedelta(days=n),
            open=Decimal("98.00"),
            high=Decimal("99.50"),
            low=Decimal("97.50"),
            close=Decimal(f"98.{n:02d}"),
            volume=Decimal(1_000_000),
        )
        for n in range(count)
    )


def a_contract(**changes: Any) -> Contract:
    """TSLA."""
    fields = {
        "symbol": "TSLA",
        "conid": 76792991,
        "exchange": "NASDAQ",
        "currency": "USD",
        "company": "TESLA INC",
        "tick": "0.01",
    }
    return Contract.model_validate({**fields, **changes})


def evidence(**changes: Any) -> Evidence:
    """Evidence of a calm rise."""
    fields = {
        "contract": a_contract(),
        "quote": a_quote(),
        "bars": bars(),
        "indicators": indicators(),
    }
    return Evidence.model_validate({**fields, **changes})


def a_strategy(**changes: Any) -> Strategy:
    """The strategy that asks a model."""
    fields = {
        "id": 1,
        "name": "momentum-llm",
        "version": "v1",
        "kind": "llm",
        "symbols": ("TSLA",),
        "modes": (Mode.DRY_RUN,),
        "prompt": "momentum-v1",
    }
    return Strategy.model_validate({**fields, **changes})


def rules_strategy() -> Strategy:
    """The strategy whose rules vote."""
    return a_strategy(kind="rules", prompt=None)


def limits(**changes: Any) -> Limits:
    """Limits of a small account."""
    fields = {
        "version": "v1",
        "max_order_notional": "10000",
        "max_position_notional": "25000",
        "max_gross_exposure": "80000",
        "max_quote_age_seconds": "15",
        "max_spread_percent": "0.5",
        "min_confidence": 0.7,
        "risk_per_trade_percent": "1",
        "dry_run_cash": "100000",
    }
    return Limits.model_validate({**fields, **changes})


def captured(strategy: Strategy | None = None, **changes: Any) -> EvidenceCaptured:
    """The event that the step consumes."""
    facts = changes.pop("evidence", evidence())
    fields = {
        "occurred_at": NOW,
        "market_time": NOW,
        "run_id": "run-1",
        "symbol": facts.contract.symbol,
        "expires_at": NOW + timedelta(minutes=30),
        "context": RunContext(
            strategy=strategy or a_strategy(), limits=limits(), mode=Mode.DRY_RUN
        ),
        "session_close": NOW + timedelta(hours=6),
        "accounts": ("DU1234567",),
        "paper": True,
        "evidence": facts,
        "evidence_hash": sha256_of(facts),
    }
    return EvidenceCaptured.model_validate({**fields, **changes})


def a_buy(**changes: Any) -> Proposal:
    """A BUY that passes: it risks 3.01 for 5.99."""
    fields: dict[str, Any] = {
        "action": Action.BUY,
        "confidence": 0.8,
        "stop_loss": "97.00",
        "take_profit": "106.00",
        "reasons": ("SMA 20 98.00 is above SMA 50 95.00",),
    }
    return Proposal.model_validate({**fields, **changes})


def a_sell(**changes: Any) -> Proposal:
    """A SELL that passes: it risks 3.01 for 5.99."""
    return a_buy(
        **{"action": Action.SELL, "stop_loss": "103.00", "take_profit": "94.00", **changes}
    )


def a_hold(**changes: Any) -> Proposal:
    """A HOLD of little confidence."""
    nothing = {"action": Action.HOLD, "confidence": 0.1, "stop_loss": None, "take_profit": None}
    return a_buy(**{**nothing, **changes})


def a_call(answer: str, **changes: Any) -> ModelCall:
    """A call of the model with this answer."""
    fields: dict[str, Any] = {
        "model": "small",
        "prompt_version": "momentum-v1",
        "template_hash": "0" * 64,
        "request": '{"messages": [{"role": "user", "content": "Propose for TSLA."}]}',
        "answer": answer,
        "prompt_tokens": 470,
        "completion_tokens": 75,
        "latency_ms": 1200,
        "attempts": 1,
    }
    return ModelCall.model_validate({**fields, **changes})
