"""The web side that every service has: liveness, readiness, metrics, and one lifespan."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import structlog
from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from shared.stage import Stage

Lifespan = Callable[[], contextlib.AbstractAsyncContextManager[None]]
Probe = Callable[[], str | None]
log = structlog.get_logger(__name__)


def make_app(title: str, lifespan: Lifespan, probe: Probe, **options: Any) -> FastAPI:
    """Return an app with health and metrics. ``probe`` says why it is not ready, or None."""

    @contextlib.asynccontextmanager
    async def run(_: FastAPI) -> AsyncIterator[None]:
        async with lifespan():
            yield

    app = FastAPI(title=f"openbell {title}", lifespan=run, **options)

    @app.get("/health/live", tags=["health"])
    async def live() -> dict[str, str]:
        """Answer while the process runs."""
        return {"status": "live"}

    @app.get("/health/ready", tags=["health"])
    async def ready(response: Response) -> dict[str, str]:
        """Answer 200 when the service does its work, else 503 and why not."""
        why = probe()
        if why is not None:
            response.status_code = 503
        return {"status": "ready"} if why is None else {"status": "not ready", "why": why}

    @app.get("/metrics", tags=["health"], response_class=Response)
    async def metrics() -> Response:
        """Answer in Prometheus' text format."""
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return app


def consuming(stage: Stage) -> str | None:
    """Say which subscriber has not started yet, or None: a probe."""
    for subscriber in stage.broker.subscribers:
        consumer = getattr(subscriber, "consumer", None)
        if consumer is None:
            return f"not consuming {', '.join(getattr(subscriber, 'topics', []))} yet"
    return None


@contextlib.asynccontextmanager
async def background(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run coroutines beside the block; one that fails ends the process, to be started again."""
    tasks = [asyncio.create_task(_watched(coroutine)) for coroutine in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _watched(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except Exception:
        log.exception("background work failed, stopping", work=repr(work))
        signal.raise_signal(signal.SIGTERM)
        raise
