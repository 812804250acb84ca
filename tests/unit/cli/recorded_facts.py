"""What a recorded run is about: its strategies, its limits, and a year of a market."""

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from services.clock.calendar import _calendar
from services.marketdata.indicators import indicators
from shared.events.base import Mode
from shared.events.evidence import Bar, Contract, Evidence, Quote
from shared.events.run import Limits, Strategy

NOW = datetime(2023, 6, 1, 14, 0, tzinfo=UTC)
LIMITS = Limits.model_validate(
    {
        "version": "1",
        "max_order_notional": 10_000,
        "max_position_notional": 25_000,
        "max_gross_exposure": 80_000,
        "max_quote_age_seconds": 15,
        "max_spread_percent": "0.5",
        "min_confidence": 0.1,
        "risk_per_trade_percent": 1,
        "dry_run_cash": 100_000,
    }
)
RULES = Strategy(
    id=2,
    name="rules-only",
    version="1",
    kind="rules",
    symbols=("TSLA", "NVDA"),
    modes=(Mode.DRY_RUN, Mode.PAPER),
    min_confidence=0.1,
)
LLM = RULES.model_copy(
    update={"id": 1, "name": "momentum-llm", "kind": "llm", "prompt": "momentum-v1"}
)
ANSWER = json.dumps(
    {
        "reasons": ["it is calm"],
        "action": "HOLD",
        "confidence": 0.5,
        "stop_loss": None,
        "take_profit": None,
    }
)


def evidence_of(symbol: str) -> Evidence:
    """Evidence of a calm rise of TSLA, a calm fall of any other."""
    bars = _bars(rising=symbol == "TSLA")
    close = bars[-1].close
    cent = Decimal("0.01")
    return Evidence(
        contract=Contract(
            symbol=symbol, conid=1, exchange="NASDAQ", currency="USD", company="A", tick=cent
        ),
        quote=Quote(
            last=close,
            bid=close - cent,
            ask=close + cent,
            prior_close=close,
            at=NOW - timedelta(seconds=2),
            availability="RpB",
        ),
        bars=bars,
        indicators=indicators(bars),
    )


def _bars(*, rising: bool) -> tuple[Bar, ...]:
    days: list[date] = [
        day.date() for day in _calendar("XNYS").sessions_in_range("2022-06-01", "2023-05-31")
    ]
    step = Decimal("0.1") if rising else Decimal("-0.1")
    closes = [100 + n * step + n % 3 for n in range(len(days))]
    return tuple(
        Bar(
            date=day,
            open=close,
            high=close + 1,
            low=close - 1,
            close=close,
            volume=Decimal(1_000_000 + n),
        )
        for n, (day, close) in enumerate(zip(days, closes, strict=True))
    )
