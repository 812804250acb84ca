"""The tracker: settings, intake, writing."""

import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI

from services.tracker.intake import Intake
from services.tracker.settings import TrackerSettings
from services.tracker.writing import Writing
from shared.app import background, make_app
from shared.db import make_engine, make_sessions
from shared.log import set_up_logging


def build_app(settings: TrackerSettings | None = None) -> FastAPI:
    """Return the app of the tracker; nothing connects before it starts."""
    settings = settings or TrackerSettings()
    set_up_logging(settings.log_level)
    sessions = make_sessions(make_engine(settings.database, name="tracker"))
    intake = Intake(sessions, settings.kafka.bootstrap_servers, settings.ordinal)
    writing = Writing(sessions, settings.mlflow.tracking_uri)

    @contextlib.asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        async with background(intake.keep_reading(), writing.keep_writing()):
            yield

    return make_app("tracker", lifespan, probe=lambda: None if intake.reading else "not reading")
