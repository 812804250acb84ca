"""Marketdata: settings, broker, lifespan."""

import contextlib
from collections.abc import AsyncIterator

import httpx
from fastapi import FastAPI

from services.marketdata import handlers, store
from services.marketdata.capture import Capture
from services.marketdata.settings import GatewayAccess, MarketDataSettings
from shared.app import consuming, make_app
from shared.ibkr.client import IbkrClient, api_url
from shared.service import make_stage
from shared.stage import running

# Symbols that are worked on at once; what they ask for is merged and paced by the gateway.
_CONCURRENCY = 20
_CONNECT_TRIES = 5
# The gateway gives the broker ten seconds; before that a request waits for its turn, and ten more
# where the broker holds the path. For a connection it waits here, until its run expires.
_TIMEOUT = httpx.Timeout(60.0, connect=2.0, pool=None)


def build_app(settings: MarketDataSettings | None = None) -> FastAPI:
    """Return the app of marketdata; nothing connects before it starts."""
    settings = settings or MarketDataSettings()
    stage = make_stage(
        settings, service="marketdata", recorded=store.recorded, concurrency=_CONCURRENCY
    )
    http = _gateway_http(settings.gateway)
    capture = Capture(IbkrClient(http), store.Cache(stage.sessions), stage.clock)
    handlers.register(stage, capture)

    @contextlib.asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with http, running(stage):
            yield

    return make_app("marketdata", lifespan, probe=lambda: consuming(stage))


def _gateway_http(gateway: GatewayAccess) -> httpx.AsyncClient:
    """Return the client of the gateway, which speaks the Client Portal API as the broker does."""
    secret = gateway.marketdata_secret.get_secret_value()
    return httpx.AsyncClient(
        # The gateway is ours: while it starts again, connecting is tried within the step's time.
        transport=httpx.AsyncHTTPTransport(
            retries=_CONNECT_TRIES,
            limits=httpx.Limits(max_connections=100, keepalive_expiry=60),
        ),
        base_url=f"{api_url(gateway.url)}/",
        headers={"Authorization": f"Bearer {secret}"},
        timeout=_TIMEOUT,
        trust_env=False,
    )
