"""Evidence: all that a decision on one symbol may be based on, captured once."""

from datetime import date
from decimal import Decimal
from typing import ClassVar

from pydantic import Field

from shared.events.base import Fact, Money, SymbolEvent, UtcTime
from shared.events.run import RunContext


class Contract(Fact):
    """An instrument exactly as the broker knows it. ``tick`` is the price increment."""

    symbol: str
    conid: int
    exchange: str
    currency: str
    company: str
    tick: Money


class Quote(Fact):
    """Prices at ``at`` (market time). Sizes in shares. ``availability`` is the broker's code."""

    last: Money = Field(gt=0)
    bid: Money = Field(gt=0)
    ask: Money = Field(gt=0)
    bid_size: Decimal | None = None
    ask_size: Decimal | None = None
    prior_close: Money | None = None
    volume: Decimal | None = None
    at: UtcTime
    availability: str


class Bar(Fact):
    """One finished trading day. Prices in the contract's currency, volume in shares."""

    date: date
    open: Money
    high: Money
    low: Money
    close: Money
    volume: Decimal


class Indicators(Fact):
    """Of the daily closes up to the day before, newest last. None where bars are too few."""

    sma_20: Decimal | None
    sma_50: Decimal | None
    sma_200: Decimal | None
    rsi_14: Decimal | None
    macd: Decimal | None
    macd_signal: Decimal | None
    macd_histogram: Decimal | None
    atr_14: Decimal | None
    bollinger_upper: Decimal | None
    bollinger_lower: Decimal | None
    high_20: Decimal | None
    low_20: Decimal | None
    change_5d_percent: Decimal | None
    volume_ratio_20: Decimal | None


class Evidence(Fact):
    """What is hashed: market facts only, no ids and no clock but the market's.

    ``bars`` are finished days, oldest first.
    """

    contract: Contract
    quote: Quote
    bars: tuple[Bar, ...]
    indicators: Indicators


class EvidenceCaptured(SymbolEvent):
    """The evidence for one symbol of a run. ``evidence_hash`` is over ``evidence`` alone.

    ``fingerprints`` hold a short hash of each part and of each bar by its date, so that a change
    of the log can be named and not only noticed.
    """

    type: ClassVar[str] = "evidence.captured"

    context: RunContext
    session_close: UtcTime
    accounts: tuple[str, ...]
    paper: bool
    evidence: Evidence
    evidence_hash: str
    fingerprints: dict[str, str] = Field(default_factory=dict)
