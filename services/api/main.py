"""The api: settings, broker, lifespan."""

import contextlib
from collections.abc import AsyncIterator

from fastapi import Depends, FastAPI

from services.api import handlers, ledger, lost, store
from services.api.admission import Admitter
from services.api.auth import Tokens, authorized
from services.api.catalog import Catalog, load_catalog
from services.api.problems import handle_problems
from services.api.routes import control, runs, state
from services.api.settings import Settings
from shared.app import background, consuming, make_app
from shared.backoff import until_it_works
from shared.envelope import encode
from shared.events.state import StrategyCurrent
from shared.kafka import cluster_id, publish
from shared.service import make_stage
from shared.stage import Stage, running
from shared.state import StateReader
from shared.sweep import keep_sweeping
from shared.topics import BROKER_SESSION, MARKET_SESSION


def build_app(settings: Settings | None = None) -> FastAPI:
    """Return the app of the api; nothing connects before it starts.

    Raises CatalogError where a strategy or the limits are not as they must be.
    """
    settings = settings or Settings()
    servers = settings.kafka.bootstrap_servers
    stage = make_stage(settings, service="api", recorded=store.recorded)
    catalog = load_catalog(settings.strategies_dir, settings.limits_file)
    admitter = Admitter(stage, catalog, settings.api.max_symbols)
    market, broker = (
        StateReader(MARKET_SESSION, servers),
        StateReader(BROKER_SESSION, servers),
    )
    tokens, cluster = Tokens(), _Cluster(servers)
    handlers.register(stage, admitter, cluster.id)

    @contextlib.asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        await until_it_works(cluster.ask)
        await until_it_works(lambda: _load(tokens, stage, settings))
        async with (
            running(stage),
            market.reading(),
            broker.reading(),
            background(
                keep_sweeping(stage),
                lost.keep_looking(stage),
                ledger.keep(stage.sessions, servers, stage.ordinal),
            ),
        ):
            await until_it_works(lambda: _announce(stage, catalog))
            yield

    app = make_app("api", lifespan, probe=lambda: consuming(stage))
    app.state.tokens = tokens
    handle_problems(app)
    guarded = [Depends(authorized)]
    run_routes = runs.routes(stage, admitter, max_body_bytes=settings.api.max_body_bytes)
    app.include_router(run_routes, dependencies=guarded)
    app.include_router(state.routes(stage, catalog, market, broker), dependencies=guarded)
    app.include_router(control.routes(stage), dependencies=guarded)
    return app


class _Cluster:
    """The id of the Kafka cluster, known once it was asked."""

    def __init__(self, servers: str) -> None:
        self._servers = servers
        self._id = ""

    async def ask(self) -> None:
        self._id = await cluster_id(self._servers)

    def id(self) -> str:
        return self._id


async def _load(tokens: Tokens, stage: Stage, settings: Settings) -> None:
    async with stage.sessions.begin() as session:
        await tokens.load(session, settings.api.token)


async def _announce(stage: Stage, catalog: Catalog) -> None:
    for strategy in catalog.strategies.values():
        event = StrategyCurrent(**stage.stamp(), strategy=strategy)
        await publish(stage.broker, encode(event, source=stage.service))
