"""Signals: settings, broker, lifespan."""

import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI

from services.signals import handlers, store
from services.signals.model import Model
from services.signals.settings import SignalsSettings
from shared.app import consuming, make_app
from shared.service import make_stage
from shared.stage import running

# Most of a symbol's time is spent waiting for the model.
_CONCURRENCY = 20


def build_app(settings: SignalsSettings | None = None) -> FastAPI:
    """Return the app of signals; nothing connects before it starts."""
    settings = settings or SignalsSettings()
    stage = make_stage(
        settings, service="signals", recorded=store.recorded, concurrency=_CONCURRENCY
    )
    model = None if settings.llm is None else Model(settings.llm)
    handlers.register(stage, model)

    @contextlib.asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with model or contextlib.nullcontext(), running(stage):
            yield

    return make_app("signals", lifespan, probe=lambda: consuming(stage))
