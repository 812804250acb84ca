"""There is one gateway: it holds a PostgreSQL advisory lock on a connection of its own for life."""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from shared.backoff import until_it_works
from shared.db import make_engine
from shared.settings import DatabaseSettings

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

_ANOTHER_RUNS = (
    "another gateway holds this deployment's broker login: stop it first, "
    "or point OPENBELL_DATABASE__URL of this one at a database of its own"
)
_TRY_FOR_S, _TRY_EVERY_S, _LOOK_EVERY_S = 10.0, 0.5, 1.0
_TAKE = text("SELECT pg_try_advisory_lock(hashtext('openbell.gateway'))")
log = structlog.get_logger(__name__)


class SoleGateway:
    """The lock. PostgreSQL lets go of it when our connection ends, however that happens."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self._engine = make_engine(settings, name="gateway-lock").execution_options(
            isolation_level="AUTOCOMMIT"
        )
        self._connection: AsyncConnection | None = None

    @property
    def held(self) -> bool:
        """Whether the lock was ours when last looked at."""
        return self._connection is not None

    async def take(self) -> bool:
        """Take the lock; False where another holds it for ten seconds on end.

        A killed predecessor's lock may take a moment to go. PostgreSQL being away is waited for.
        """
        give_up = time.monotonic() + _TRY_FOR_S
        while not await until_it_works(self._try):
            if time.monotonic() >= give_up:
                return False
            await asyncio.sleep(_TRY_EVERY_S)
        return True

    async def keep(self) -> None:
        """Take the lock again whenever its connection is lost; end the process where that fails."""
        while self.held or await self.take():
            await asyncio.sleep(_LOOK_EVERY_S)
            await self._look()
        stop()

    @contextlib.asynccontextmanager
    async def alone(self) -> AsyncIterator[bool]:
        """Hold the lock during the block; False where another gateway has it."""
        try:
            yield await self.take()
        finally:
            await self._drop()
            await self._engine.dispose()

    async def _try(self) -> bool:
        connection = await self._engine.connect()
        try:
            if (await connection.execute(_TAKE)).scalar_one():
                self._connection = connection
        finally:
            if not self.held:
                await connection.close()
        return self.held

    async def _look(self) -> None:
        assert self._connection is not None  # noqa: S101  # held, or keep() had ended
        try:
            await self._connection.execute(text("SELECT 1"))
        except (DBAPIError, OSError) as e:
            log.warning("the lock's connection was lost, taking it again", why=repr(e))
            await self._drop()

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(DBAPIError, OSError):
                await connection.invalidate()
                await connection.close()


def stop() -> None:
    """End this process, saying why, as if asked to: nothing here is worth a traceback."""
    log.error(_ANOTHER_RUNS)
    signal.raise_signal(signal.SIGTERM)
