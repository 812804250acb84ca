"""The order: one intent per signal and every change of it."""

import uuid
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar, Literal

from shared.events.base import Check, Fact, Mode, Money, Reason, SymbolEvent, UtcTime
from shared.events.run import Limits, Outcome


class OrderState(StrEnum):
    """Where an order stands."""

    INTENDED = "intended"
    HELD = "held"
    DECLINED = "declined"
    SIMULATED = "simulated"
    SUBMITTED = "submitted"
    REJECTED = "rejected"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Position(Fact):
    """Shares held, and their average price; ``quantity`` is negative where short."""

    symbol: str
    quantity: Decimal
    average_price: Money


class AccountSnapshot(Fact):
    """The account as risk saw it."""

    account: str
    cash: Money
    positions: tuple[Position, ...]


class Fill(Fact):
    """An execution. ``simulated`` fills never reached a broker."""

    price: Money
    quantity: Decimal
    at: UtcTime
    simulated: bool


class Order(Fact):
    """What is, or would be, sent."""

    side: Literal["BUY", "SELL"]
    quantity: Decimal
    order_type: Literal["LMT"]
    limit_price: Money
    tif: Literal["DAY"]


class Switch(Fact):
    """The halt switches as read when the order was decided."""

    scope: str
    halted: bool
    why: str


class OrderChanged(SymbolEvent):
    """One change of an order. Exactly one per intent is ``closing``: it is the symbol's outcome."""

    type: ClassVar[str] = "order.changed"

    intent_id: uuid.UUID
    seq: int
    state: OrderState
    closing: bool
    outcome: Outcome | None
    code: str
    reason: Reason
    mode: Mode
    account: str
    strategy_id: int
    order: Order | None
    fill: Fill | None
    checks: tuple[Check, ...]
    snapshot: AccountSnapshot | None
    limits: Limits
    switches: tuple[Switch, ...]
    decided_at: UtcTime
    signal_hash: str
    decision_hash: str | None

    def identity(self) -> tuple[object, ...]:
        return (self.run_id, self.symbol, self.intent_id, self.seq)

    def key(self) -> str:
        return self.account
