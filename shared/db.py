"""PostgreSQL: one engine per process, made from the libpq URL that providers print."""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import MetaData, make_url
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)

from shared.settings import DatabaseSettings

Sessions = async_sessionmaker[AsyncSession]

# Names of constraints, so that migrations can name what they change.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
_PLAIN = {"disable", "allow", "prefer", None}
_LIBPQ_ONLY = ("sslmode", "channel_binding", "sslrootcert")


def make_metadata(schema: str) -> MetaData:
    """Return the metadata of one service's schema."""
    return MetaData(schema=schema, naming_convention=NAMING)


def driver_url(url: str, ca_file: Path | None = None) -> tuple[URL, dict[str, Any]]:
    """Return a libpq URL as SQLAlchemy's for asyncpg, and the driver's arguments.

    Any ``sslmode`` that asks for TLS verifies certificate and host name, never less.
    """
    parsed = make_url(url).set(drivername="postgresql+asyncpg")
    query: Mapping[str, Any] = parsed.query
    arguments: dict[str, Any] = {}
    if query.get("sslmode") not in _PLAIN:
        root = ca_file or query.get("sslrootcert")
        arguments["ssl"] = ssl.create_default_context(cafile=root)
    return parsed.difference_update_query(_LIBPQ_ONLY), arguments


def make_engine(settings: DatabaseSettings, *, name: str) -> AsyncEngine:
    """Return an engine with a small pool; nothing connects yet. ``name`` shows in pg_stat_activity.

    Connections are not tested before use, which would cost each of them a round trip: whoever uses
    one retries what is ours, and the first error empties the pool.
    """
    url, arguments = driver_url(settings.url.get_secret_value(), settings.ca_file)
    arguments["server_settings"] = {"application_name": f"openbell-{name}"}
    return create_async_engine(
        url, connect_args=arguments, pool_size=4, max_overflow=0, pool_timeout=30
    )


def make_autocommit(engine: AsyncEngine) -> Sessions:
    """Return a factory of sessions, of the same pool, whose statements each commit themselves."""
    alone = engine.execution_options(isolation_level="AUTOCOMMIT")
    return async_sessionmaker(alone, expire_on_commit=False)


def make_sessions(engine: AsyncEngine) -> Sessions:
    """Return the factory of sessions of an engine."""
    return async_sessionmaker(engine, expire_on_commit=False)
