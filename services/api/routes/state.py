"""What is now: strategies, market, broker; and the halt switch."""

from http import HTTPStatus
from typing import TypeVar

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.api.catalog import Catalog
from services.api.problems import ProblemError
from shared.envelope import encode
from shared.events.base import Event
from shared.events.run import Strategy
from shared.events.state import BrokerSession, ControlSwitch, MarketSession
from shared.failures import StateUnknownError
from shared.kafka import publish
from shared.stage import Stage
from shared.state import StateReader

E = TypeVar("E", bound=Event)


class SwitchRequest(BaseModel):
    """``scope`` is ``deployment``, ``account:<id>`` or ``strategy:<id>``."""

    model_config = ConfigDict(extra="forbid")

    scope: str = Field(
        default="deployment",
        pattern=r"^(deployment|account:[A-Za-z0-9:_-]+|strategy:\d+)$",
    )
    why: str = Field(default="by hand", max_length=200)


# Without a body the whole deployment is meant.
_DEPLOYMENT = SwitchRequest()


def routes(
    stage: Stage,
    catalog: Catalog,
    market: StateReader[MarketSession],
    broker: StateReader[BrokerSession],
) -> APIRouter:
    """Return the routes of strategies, market, broker and control."""
    router = APIRouter()

    @router.get("/strategies", tags=["strategies"])
    async def strategies() -> list[Strategy]:
        """Return all strategies."""
        return list(catalog.strategies.values())

    @router.get("/strategies/{strategy_id}", tags=["strategies"])
    async def strategy(strategy_id: str) -> Strategy:
        """Return one strategy, by number or name."""
        wanted = int(strategy_id) if strategy_id.isdecimal() else strategy_id
        found = catalog.strategy(wanted)
        if found is None:
            reason = f"no strategy {strategy_id[:64]!r}; GET /strategies lists them"
            raise ProblemError(HTTPStatus.NOT_FOUND, "unknown_strategy", reason)
        return found

    @router.get("/market", tags=["state"])
    async def market_now() -> dict[str, object]:
        """Return market time and the newest session of each exchange."""
        return {"market_time": stage.clock.now(), "sessions": _entries(market)}

    @router.get("/broker", tags=["state"])
    async def broker_now() -> BrokerSession:
        """Return the state of the broker login."""
        found = _entries(broker)
        if not found:
            reason = "nothing is known of the broker session yet; is the gateway running?"
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "broker_unknown", reason)
        return found[0]

    async def switch(state: str, request: SwitchRequest) -> ControlSwitch:
        event = ControlSwitch.model_validate(
            {**stage.stamp(), "state": state, "by": "rest", **request.model_dump()}
        )
        await publish(stage.broker, encode(event, source=stage.service))
        return event

    @router.post("/control/halt", tags=["control"])
    async def halt(
        request: SwitchRequest = _DEPLOYMENT,
    ) -> ControlSwitch:
        """Block new orders of a scope."""
        return await switch("halted", request)

    @router.post("/control/resume", tags=["control"])
    async def resume(
        request: SwitchRequest = _DEPLOYMENT,
    ) -> ControlSwitch:
        """Allow new orders of a scope again."""
        return await switch("running", request)

    return router


def _entries(reader: StateReader[E]) -> list[E]:
    try:
        return list(reader.entries().values())
    except StateUnknownError as e:
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "state_unknown", str(e)) from e
