"""What a service has done, recorded once: the messages that one input led to, byte for byte."""

import uuid
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    MetaData,
    String,
    Table,
    Uuid,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.envelope import Message


def recorded_table(metadata: MetaData) -> Table:
    """Return the table of a service's schema. ``pending`` rows are published by the sweep."""
    return Table(
        "recorded",
        metadata,
        Column("input_id", Uuid, primary_key=True),
        Column("slot", String(32), primary_key=True),
        Column("messages", JSON, nullable=False),
        Column("pending", Boolean, nullable=False, server_default="false", index=True),
        Column(
            "recorded_at",
            DateTime(timezone=True),
            nullable=False,
            server_default=func.now(),
        ),
    )


class Recorded:
    """The recorded messages of one service, by input and slot (a symbol, where work fans out)."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def find(
        self, session: AsyncSession, input_id: uuid.UUID, slot: str
    ) -> list[Message] | None:
        """Return what is recorded, or None. An empty list says: done, nothing to publish."""
        table = self._table
        query = select(table.c.messages).where(table.c.input_id == input_id, table.c.slot == slot)
        rows = (await session.execute(query)).scalar_one_or_none()
        return None if rows is None else [Message(**row) for row in rows]

    async def add(
        self,
        session: AsyncSession,
        input_id: uuid.UUID,
        slot: str,
        messages: Sequence[Message],
        *,
        pending: bool = False,
    ) -> bool:
        """Record within the caller's transaction; return False where another was first."""
        statement = (
            insert(self._table)
            .values(
                input_id=input_id,
                slot=slot,
                messages=[asdict(message) for message in messages],
                pending=pending,
            )
            .on_conflict_do_nothing()
            .returning(self._table.c.input_id)
        )
        return (await session.execute(statement)).first() is not None

    async def pending(self, session: AsyncSession) -> list[tuple[uuid.UUID, str, list[Message]]]:
        """Return what waits for the sweep, oldest first."""
        table = self._table
        query = (
            select(table.c.input_id, table.c.slot, table.c.messages)
            .where(table.c.pending)
            .order_by(table.c.recorded_at)
            .limit(500)
        )
        rows = await session.execute(query)
        return [(i, slot, [Message(**m) for m in messages]) for i, slot, messages in rows]

    async def mark_published(self, session: AsyncSession, input_id: uuid.UUID, slot: str) -> None:
        """Take a row out of the sweep."""
        table = self._table
        await session.execute(
            table.update()
            .where(table.c.input_id == input_id, table.c.slot == slot)
            .values(pending=False)
        )

    async def prune(self, session: AsyncSession, before: datetime) -> int:
        """Forget rows older than ``before``; keep it beyond the topics' retention."""
        table = self._table
        gone = await session.execute(
            table.delete()
            .where(table.c.recorded_at < before, ~table.c.pending)
            .returning(table.c.slot)
        )
        return len(gone.all())
