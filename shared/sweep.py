"""Work that no message triggers, done in one replica at a time.

What is to be published is recorded first, published, then marked; what is old is forgotten.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.events.base import Event
from shared.failures import is_ours
from shared.market_time import wall_now
from shared.stage import WHOLE, Stage

EVERY_S = 1.0
_PRUNE_EVERY_S = 3600.0
# Longer than Kafka keeps the topics: an input that is still there finds its record.
KEPT = timedelta(days=45)
log = structlog.get_logger(__name__)


async def add_pending(
    stage: Stage,
    session: AsyncSession,
    input_id: uuid.UUID,
    events: Sequence[Event],
    *,
    traceparent: str | None = None,
) -> bool:
    """Record events within the caller's transaction, to be published by ``sweep``; once per id."""
    messages = stage.encode(events, traceparent)
    return await stage.recorded.add(session, input_id, WHOLE, messages, pending=True)


async def alone(session: AsyncSession, name: str) -> bool:
    """Whether this transaction is the only one that does work of that name."""
    mine = text("SELECT pg_try_advisory_xact_lock(hashtext(:name))")
    return bool((await session.execute(mine, {"name": name})).scalar_one())


async def sweep(stage: Stage) -> int:
    """Publish and mark all pending rows; return how many. One replica at a time does it."""
    async with stage.sessions.begin() as session:
        if not await alone(session, f"sweep:{stage.service}"):
            return 0
        rows = await stage.recorded.pending(session)
        for input_id, slot, messages in rows:
            await stage.publish_recorded(messages)
            await stage.recorded.mark_published(session, input_id, slot)
        return len(rows)


async def publish_now(stage: Stage, input_id: uuid.UUID) -> None:
    """Publish and mark one row that ``add_pending`` recorded, once its transaction is committed.

    Should this fail or never happen, the sweep does it; no connection is held for Kafka.
    """
    async with stage.autocommit() as session:
        messages = await stage.recorded.find(session, input_id, WHOLE)
    if messages is not None:
        await stage.publish_recorded(messages)
        async with stage.autocommit() as session:
            await stage.recorded.mark_published(session, input_id, WHOLE)


async def prune(stage: Stage) -> int:
    """Forget what was recorded long ago; return how many rows."""
    async with stage.sessions.begin() as session:
        return await stage.recorded.prune(session, wall_now() - KEPT)


async def keep_sweeping(stage: Stage) -> None:
    """Publish every second and forget every hour, until cancelled."""
    await asyncio.gather(
        every(EVERY_S, lambda: sweep(stage)), every(_PRUNE_EVERY_S, lambda: prune(stage))
    )


async def every(seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    """Do work again and again until cancelled; our own storage being away only delays it."""
    while True:
        try:
            await work()
        except Exception as e:
            if not is_ours(e):
                raise
            log.warning("periodic work put off", why=repr(e))
        await asyncio.sleep(seconds)
