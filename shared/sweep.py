"""Publishing of what no message triggers: recorded first, published, then marked."""

import asyncio
import uuid
from collections.abc import Sequence

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.events.base import Event
from shared.failures import is_ours
from shared.stage import WHOLE, Stage

EVERY_S = 1.0
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


async def sweep(stage: Stage) -> int:
    """Publish and mark all pending rows; return how many. One replica at a time does it."""
    async with stage.sessions.begin() as session:
        mine = text("SELECT pg_try_advisory_xact_lock(hashtext(:name))")
        if not (await session.execute(mine, {"name": f"sweep:{stage.service}"})).scalar_one():
            return 0
        rows = await stage.recorded.pending(session)
        for input_id, slot, messages in rows:
            await stage.publish_recorded(messages)
            await stage.recorded.mark_published(session, input_id, slot)
        return len(rows)


async def publish_now(stage: Stage, input_id: uuid.UUID) -> None:
    """Publish and mark one row that ``add_pending`` recorded, once its transaction is committed.

    Should this fail or never happen, the sweep does it.
    """
    async with stage.sessions.begin() as session:
        messages = await stage.recorded.find(session, input_id, WHOLE)
        if messages is not None:
            await stage.publish_recorded(messages)
            await stage.recorded.mark_published(session, input_id, WHOLE)


async def keep_sweeping(stage: Stage) -> None:
    """Sweep every second until cancelled; our own storage being away only delays it."""
    while True:
        try:
            await sweep(stage)
        except Exception as e:
            if not is_ours(e):
                raise
            log.warning("sweep put off", why=repr(e))
        await asyncio.sleep(EVERY_S)
