"""Entries of the compacted topics: the newest per key is the state."""

from typing import ClassVar, Literal

from pydantic import Field

from shared.events.base import Event, UtcTime
from shared.events.run import Strategy


class MarketSession(Event):
    """Open or closed since ``at``; unknown after ``valid_until``, the next bell (market time)."""

    type: ClassVar[str] = "market.session"

    exchange: str
    state: Literal["open", "closed"]
    at: UtcTime
    valid_until: UtcTime

    def identity(self) -> tuple[object, ...]:
        return (self.exchange, self.at.isoformat())

    def key(self) -> str:
        return self.exchange


BrokerState = Literal["unreachable", "login_required", "connected", "competing", "ready"]


class BrokerSession(Event):
    """State of the broker login; unknown after ``valid_until`` (wall time)."""

    type: ClassVar[str] = "broker.session"

    state: BrokerState
    since: UtcTime
    why: str
    valid_until: UtcTime
    accounts: tuple[str, ...] = ()
    paper: bool = False
    simulated: bool = False

    def identity(self) -> tuple[object, ...]:
        return (self.state, self.since.isoformat(), self.valid_until.isoformat())

    def key(self) -> str:
        return "broker"


class StrategyCurrent(Event):
    """A strategy as it is now."""

    type: ClassVar[str] = "strategy.current"

    strategy: Strategy

    def identity(self) -> tuple[object, ...]:
        return (self.strategy.id, self.strategy.version)

    def key(self) -> str:
        return str(self.strategy.id)


class ControlSwitch(Event):
    """Halted or running, for ``deployment``, ``account:<id>`` or ``strategy:<id>``."""

    type: ClassVar[str] = "control.switch"

    scope: str = Field(pattern=r"^(deployment|account:[A-Za-z0-9:_-]+|strategy:\d+)$")
    state: Literal["halted", "running"]
    by: str
    why: str

    def identity(self) -> tuple[object, ...]:
        return (self.scope, self.occurred_at.isoformat())

    def key(self) -> str:
        return self.scope
