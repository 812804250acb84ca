"""The gateway: settings, broker, lifespan."""

import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI

from services.gateway import handlers, store
from services.gateway.broker import broker_http
from services.gateway.callers import Callers
from services.gateway.forward import Forwarder
from services.gateway.heartbeat import beat
from services.gateway.login import Login
from services.gateway.pacing import Pacer
from services.gateway.release import keep_releasing
from services.gateway.routes import make_router
from services.gateway.settings import GatewaySettings
from services.gateway.sole import SoleGateway, stop
from shared.app import background, consuming, make_app
from shared.events.run import RunMarketOpen
from shared.holding import Holding
from shared.ibkr.client import IbkrClient
from shared.service import make_stage
from shared.stage import running
from shared.sweep import keep_sweeping


def build_app(settings: GatewaySettings | None = None) -> FastAPI:
    """Return the app of the gateway; nothing connects before it starts."""
    settings = settings or GatewaySettings()
    stage = make_stage(settings, service="gateway", recorded=store.recorded)
    holding = Holding(stage, store.held, RunMarketOpen, step=handlers.STEP)
    http = broker_http(settings.ibkr, Pacer())
    login = Login(IbkrClient(http), account=settings.ibkr.account)
    sole = SoleGateway(settings.database)
    handlers.register(stage, holding, login)

    @contextlib.asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with http, sole.alone() as alone:
            if not alone:
                stop()
                yield
                return
            work = (
                sole.keep(),
                login.keep(),
                beat(stage, login, simulated=settings.ibkr.simulated),
                keep_releasing(stage, holding, login),
                keep_sweeping(stage),
            )
            async with running(stage), background(*work):
                yield

    def probe() -> str | None:
        return consuming(stage) if sole.held else "the lock of the one gateway is not held"

    app = make_app("gateway", lifespan, probe)
    app.include_router(make_router(Forwarder(http), Callers(settings.gateway)))
    return app
