"""The clock: settings, broker, lifespan."""

import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI

from services.clock import bells, handlers, store
from shared.app import background, consuming, make_app
from shared.events.run import RunAccepted
from shared.holding import Holding
from shared.service import make_stage
from shared.settings import Settings
from shared.stage import running
from shared.sweep import keep_sweeping


def build_app(settings: Settings | None = None) -> FastAPI:
    """Return the app of the clock; nothing connects before it starts."""
    stage = make_stage(settings or Settings(), service="clock", recorded=store.recorded)
    holding = Holding(stage, store.held, RunAccepted, step=handlers.STEP)
    handlers.register(stage, holding)

    @contextlib.asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with (
            running(stage),
            background(bells.ring(stage, holding), keep_sweeping(stage)),
        ):
            yield

    return make_app("clock", lifespan, probe=lambda: consuming(stage))
