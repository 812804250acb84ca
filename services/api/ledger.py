"""The ledger: an append-only copy of every event, one hash chain per run.

A consumer group of its own, on nobody's path: where it is away, runs go on, and it catches up.
"""

import asyncio
import uuid
from collections.abc import Sequence
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    DateTime,
    Identity,
    Integer,
    String,
    Table,
    Text,
    Uuid,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.api.entry import GENESIS, Beats, Entry, entry_of
from shared.backoff import until_it_works
from shared.db import Sessions, make_metadata
from shared.kafka import MAX_POLL_INTERVAL_MS, SESSION_TIMEOUT_MS
from shared.topics import ALL

_GATHER_S = 0.2
log = structlog.get_logger(__name__)

events = Table(
    "events",
    make_metadata("ledger"),
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", Uuid, nullable=False, unique=True),
    Column("run_id", String(64)),
    Column("symbol", String(16)),
    Column("type", String(32), nullable=False),
    Column("topic", String(64), nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("timestamp", DateTime(timezone=True), nullable=False),
    Column("source", String(64), nullable=False),
    Column("key", Text),
    Column("headers", JSON, nullable=False),
    Column("body", Text, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)


async def append(session: AsyncSession, entries: Sequence[Entry]) -> int:
    """Append entries in their order, one writer at a time; return how many were new."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtext("ledger"))))
    known = await _known(session, entries)
    heads: dict[str | None, str] = {}
    rows = []
    for told in entries:
        # Another body under a known id is another event, which somebody may have acted on.
        same = known.get(told.event_id, told.body_hash) == told.body_hash
        entry = told if same else told.under_its_own_id()
        if entry.event_id in known:
            continue
        known[entry.event_id] = entry.body_hash
        previous = heads.get(entry.run_id) or await _head(session, entry.run_id)
        heads[entry.run_id] = entry.hash_after(previous)
        rows.append(vars(entry) | {"previous_hash": previous, "hash": heads[entry.run_id]})
    if rows:
        await session.execute(insert(events), rows)
    return len(rows)


async def _known(session: AsyncSession, entries: Sequence[Entry]) -> dict[uuid.UUID, str]:
    """Return which ids are there already, with the hashes of their bodies."""
    ids = [e for entry in entries for e in (entry.event_id, entry.under_its_own_id().event_id)]
    body_hash = func.encode(func.sha256(func.convert_to(events.c.body, "UTF8")), "hex").label(
        "hash"
    )
    query = select(events.c.event_id, body_hash).where(events.c.event_id.in_(ids))
    return {row.event_id: row.hash for row in await session.execute(query)}


async def _head(session: AsyncSession, run_id: str | None) -> str:
    same = events.c.run_id.is_(None) if run_id is None else events.c.run_id == run_id
    query = select(events.c.hash).where(same).order_by(events.c.id.desc()).limit(1)
    return (await session.execute(query)).scalar_one_or_none() or GENESIS


async def of_run(session: AsyncSession, run_id: str, *, after: int = 0) -> list[dict[str, Any]]:
    """Return the rows of a run in the order in which the ledger took them in."""
    query = select(events).where(events.c.run_id == run_id, events.c.id > after)
    return [dict(row._mapping) for row in await session.execute(query.order_by(events.c.id))]  # noqa: SLF001


async def with_expiry(session: AsyncSession, run_ids: Sequence[str]) -> Sequence[str]:
    """Return which of these runs have been told when they expire."""
    told = events.c.body.regexp_match('"expires_at": ?"')
    query = select(events.c.run_id).where(events.c.run_id.in_(run_ids), told).distinct()
    return [run_id for run_id in await session.scalars(query) if run_id is not None]


async def keep(sessions: Sessions, bootstrap_servers: str, ordinal: str) -> None:
    """Copy the bus into the ledger until cancelled."""
    while True:
        consumer = AIOKafkaConsumer(
            *(topic.name for topic in ALL),
            bootstrap_servers=bootstrap_servers.split(","),
            group_id="api.ledger",
            group_instance_id=f"api.ledger-{ordinal}",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=SESSION_TIMEOUT_MS,
            heartbeat_interval_ms=1_500,
            max_poll_interval_ms=MAX_POLL_INTERVAL_MS,
            fetch_max_wait_ms=100,
        )
        beats = Beats()
        try:
            await consumer.start()
            while True:
                await _copy(consumer, sessions, beats)
                # Events of a run come close together: one transaction for several costs less.
                await asyncio.sleep(_GATHER_S)
        except KafkaError as e:
            log.warning("ledger not reading", why=str(e))
            await asyncio.sleep(1)
        finally:
            await consumer.stop()


async def _copy(consumer: AIOKafkaConsumer, sessions: Sessions, beats: Beats) -> None:
    batches = await consumer.getmany(timeout_ms=500, max_records=200)
    records = sorted((r for batch in batches.values() for r in batch), key=lambda r: r.timestamp)
    if not records:
        return

    entries = [entry for record in records if beats.is_news(entry := entry_of(record))]

    async def write() -> None:
        async with sessions.begin() as session:
            await append(session, entries)

    await until_it_works(write)
    await consumer.commit()
