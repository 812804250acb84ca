"""Runs that wait for something in the world: stored, so that they survive restarts."""

import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Generic, TypeVar

from sqlalchemy import Column, DateTime, MetaData, String, Table, Text, func
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.envelope import Cause
from shared.events.base import NAMESPACE, Event, RunEvent
from shared.events.run import StepFailed
from shared.failures import StepFailedError
from shared.stage import Stage
from shared.sweep import add_pending, publish_now

R = TypeVar("R", bound=RunEvent)


def held_table(metadata: MetaData) -> Table:
    """Return the table of the runs that a service holds."""
    return Table(
        "held",
        metadata,
        Column("run_id", String(64), primary_key=True),
        Column("event", Text, nullable=False),
        Column("traceparent", String(64)),
        Column("expires_at", DateTime(timezone=True)),
        Column(
            "held_at",
            DateTime(timezone=True),
            nullable=False,
            server_default=func.now(),
        ),
    )


class Holding(Generic[R]):
    """The runs that one step holds until ``release``. A run leaves it exactly once."""

    def __init__(self, stage: Stage, table: Table, model: type[R], *, step: str) -> None:
        self._stage = stage
        self._table = table
        self._model = model
        self._step = step

    async def hold(self, session: AsyncSession, cause: Cause[R]) -> None:
        """Keep a run, within the caller's transaction."""
        event = cause.event
        values = {
            "run_id": event.run_id,
            "event": event.model_dump_json(),
            "traceparent": cause.headers.get("traceparent"),
            "expires_at": event.expires_at,
        }
        await session.execute(insert(self._table).values(values).on_conflict_do_nothing())

    async def release(self, make: Callable[[R], Awaitable[Event]]) -> int:
        """Publish what ``make`` returns for every held run; return how many left.

        ``make`` may raise StepFailedError, which becomes that run's ``step.failed``.
        """
        return await self._leave(make, self._table.c.run_id.is_not(None))

    async def expire(self, now: datetime) -> int:
        """Fail every held run whose time (market time) is over; return how many."""

        async def expired(event: R) -> Event:
            why = f"the run expired at {event.expires_at} market time while it waited"
            raise StepFailedError("expired", why, attempts=0)

        return await self._leave(expired, self._table.c.expires_at <= now)

    async def _leave(self, make: Callable[[R], Awaitable[Event]], which: object) -> int:
        left: list[uuid.UUID] = []
        async with self._stage.sessions.begin() as session:
            rows = await session.execute(
                self._table.delete()
                .where(which)  # type: ignore[arg-type]  # a column expression
                .returning(self._table.c.event, self._table.c.traceparent)
            )
            for text, traceparent in rows:
                event = self._model.model_validate_json(text)
                left_id = uuid.uuid5(NAMESPACE, f"left|{self._step}|{event.run_id}")
                result = await self._result(make, event)
                await add_pending(self._stage, session, left_id, [result], traceparent=traceparent)
                left.append(left_id)
        for left_id in left:
            await publish_now(self._stage, left_id)
        return len(left)

    async def _result(self, make: Callable[[R], Awaitable[Event]], event: R) -> Event:
        try:
            return await make(event)
        except StepFailedError as e:
            return StepFailed(
                **self._stage.stamp(),
                run_id=event.run_id,
                expires_at=event.expires_at,
                step=self._step,
                code=e.code,
                reason=e.reason,
                attempts=e.attempts,
            )
