"""Alembic's entry: one transaction under an advisory lock, so that two starts do not collide."""

import asyncio

from alembic import context
from sqlalchemy import Connection, text

from shared.db import make_engine
from shared.settings import Settings

_LOCK = 7_205_759_403


def _upgrade(connection: Connection) -> None:
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    context.configure(connection=connection, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()


async def _main() -> None:
    engine = make_engine(Settings().database, name="migrations")
    async with engine.begin() as connection:
        await connection.run_sync(_upgrade)
    await engine.dispose()


asyncio.run(_main())
