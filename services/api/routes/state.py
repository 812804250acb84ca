"""What is now: strategies, market, broker."""

from http import HTTPStatus
from typing import Annotated, TypeVar

from fastapi import APIRouter, Path

from services.api.catalog import Catalog
from services.api.problems import ProblemError
from shared.events.base import Event
from shared.events.run import Strategy
from shared.events.state import BrokerSession, MarketSession
from shared.failures import StateUnknownError
from shared.stage import Stage
from shared.state import StateReader

E = TypeVar("E", bound=Event)


def routes(
    stage: Stage,
    catalog: Catalog,
    market: StateReader[MarketSession],
    broker: StateReader[BrokerSession],
) -> APIRouter:
    """Return the routes of strategies, market and broker."""
    router = APIRouter()

    @router.get("/strategies", tags=["strategies"])
    async def strategies() -> list[Strategy]:
        """Return all strategies."""
        return list(catalog.strategies.values())

    @router.get("/strategies/{strategy_id}", tags=["strategies"])
    async def strategy(
        strategy_id: Annotated[str, Path(max_length=64, pattern=r"^[A-Za-z0-9_.-]+$")],
    ) -> Strategy:
        """Return one strategy, by number or name."""
        wanted = int(strategy_id) if strategy_id.isdecimal() else strategy_id
        found = catalog.strategy(wanted)
        if found is None:
            reason = f"no strategy {strategy_id!r}; GET /strategies lists them"
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

    return router


def _entries(reader: StateReader[E]) -> list[E]:
    try:
        return list(reader.entries().values())
    except StateUnknownError as e:
        raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "state_unknown", str(e)) from e
