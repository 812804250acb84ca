"""Execution: settings, broker, lifespan."""

import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI

from services.execution import handlers, store
from shared.app import consuming, make_app
from shared.service import make_stage
from shared.settings import Settings
from shared.stage import running
from shared.state import StateReader
from shared.topics import CONTROL_SWITCH


def build_app(settings: Settings | None = None) -> FastAPI:
    """Return the app of execution; nothing connects before it starts."""
    settings = settings or Settings()
    stage = make_stage(settings, service="execution", recorded=store.recorded)
    switches = StateReader(CONTROL_SWITCH, settings.kafka.bootstrap_servers)
    handlers.register(stage, switches)

    @contextlib.asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with switches.reading(), running(stage):
            yield

    def probe() -> str | None:
        if not switches.ready:
            return f"{CONTROL_SWITCH.name} is not read to its end yet"
        return consuming(stage)

    return make_app("execution", lifespan, probe=probe)
