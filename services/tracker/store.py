"""Tables of the tracker: events until MLflow has them, how far each run is, and its ids there.

A run is due while it has more ``news`` (events that came) than ``written`` (those that MLflow has).
``attempts`` were begun since it was last written: any of them may have left something in MLflow.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
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

from services.tracker.history import History, Kept, told
from shared.db import make_metadata
from shared.story import tell

metadata = make_metadata("tracker")
_TIME = DateTime(timezone=True)

runs = Table(
    "runs",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("news", Integer, nullable=False),
    Column("written", Integer, nullable=False, server_default="0"),
    Column("finished_at", _TIME),
    Column("news_at", _TIME, nullable=False, server_default=func.now()),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("retry_at", _TIME, nullable=False, server_default=func.now()),
)
events = Table(
    "events",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("event_id", Uuid, nullable=False, unique=True),
    Column("run_id", ForeignKey(runs.c.run_id, ondelete="CASCADE"), nullable=False, index=True),
    Column("topic", String(64), nullable=False),
    Column("timestamp", _TIME, nullable=False),
    Column("body", Text, nullable=False),
)
mlflow_runs = Table(
    "mlflow_runs",
    metadata,
    Column("run_id", ForeignKey(runs.c.run_id, ondelete="CASCADE"), primary_key=True),
    Column("symbol", String(16), primary_key=True),
    Column("mlflow_run_id", String(64), nullable=False),
)


@dataclass(frozen=True)
class Due:
    """A run to be written. ``newer`` is how many due runs ended after it."""

    run_id: str
    news: int
    attempts: int
    quiet_for: timedelta
    newer: int


async def keep(session: AsyncSession, batch: Sequence[Kept]) -> int:
    """Keep events within the caller's transaction; return how many were new."""
    by_run = sorted(batch, key=lambda kept: kept.run_id)
    new = 0
    for run_id, group in groupby(by_run, key=lambda kept: kept.run_id):
        new += await _keep(session, run_id, list(group))
    return new


async def _keep(session: AsyncSession, run_id: str, batch: Sequence[Kept]) -> int:
    ends = [kept.finished_at for kept in batch if kept.finished_at]
    row = insert(runs).values(run_id=run_id, news=0, finished_at=ends[0] if ends else None)
    first_end = func.coalesce(runs.c.finished_at, row.excluded.finished_at)
    await session.execute(
        row.on_conflict_do_update(index_elements=["run_id"], set_={"finished_at": first_end})
    )
    rows = [{n: v for n, v in asdict(kept).items() if n != "finished_at"} for kept in batch]
    statement = insert(events).values(rows).on_conflict_do_nothing().returning(events.c.id)
    new = len((await session.execute(statement)).all())
    if new:
        now = func.now()
        changed = {"news": runs.c.news + new, "news_at": now, "retry_at": now}
        await session.execute(runs.update().where(runs.c.run_id == run_id).values(changed))
    return new


async def due(session: AsyncSession, at_most: int) -> list[Due]:
    """Return finished runs with news that may be tried now, the first that ended first.

    Now is the clock's, not the transaction's, which may be old.
    """
    newer = func.row_number().over(order_by=[runs.c.finished_at.desc(), runs.c.run_id.desc()]) - 1
    waiting = (
        select(
            runs.c.run_id,
            runs.c.news,
            runs.c.attempts,
            runs.c.finished_at,
            runs.c.retry_at,
            (func.clock_timestamp() - runs.c.news_at).label("quiet_for"),
            newer.label("newer"),
        )
        .where(runs.c.finished_at.is_not(None), runs.c.news > runs.c.written)
        .subquery()
    )
    query = (
        select(
            waiting.c.run_id,
            waiting.c.news,
            waiting.c.attempts,
            waiting.c.quiet_for,
            waiting.c.newer,
        )
        .where(waiting.c.retry_at <= func.clock_timestamp())
        .order_by(waiting.c.finished_at, waiting.c.run_id)
        .limit(at_most)
    )
    return [Due(*row) for row in await session.execute(query)]


async def history_of(session: AsyncSession, run_id: str) -> History:
    """Return what is kept of a run."""
    query = select(events.c.topic, events.c.timestamp, events.c.body)
    rows = await session.execute(query.where(events.c.run_id == run_id).order_by(events.c.id))
    return tell(told(*row) for row in rows)


async def known_ids(session: AsyncSession, run_id: str) -> dict[str, str]:
    """Return the ids of MLflow's runs by symbol; that of the whole run under no symbol."""
    query = select(mlflow_runs.c.symbol, mlflow_runs.c.mlflow_run_id)
    rows = await session.execute(query.where(mlflow_runs.c.run_id == run_id))
    return {row.symbol: row.mlflow_run_id for row in rows}


async def begin(session: AsyncSession, run: Due) -> None:
    """Say that a run is about to be written; to be committed before it is."""
    begun = {"attempts": run.attempts + 1}
    await session.execute(runs.update().where(runs.c.run_id == run.run_id).values(begun))


async def mark_written(session: AsyncSession, run: Due, ids: Mapping[str, str]) -> None:
    """Say that MLflow has the news that ``run`` was due for."""
    rows = [{"run_id": run.run_id, "symbol": s, "mlflow_run_id": i} for s, i in ids.items()]
    await session.execute(insert(mlflow_runs).values(rows).on_conflict_do_nothing())
    done = {"written": run.news, "attempts": 0}
    await session.execute(runs.update().where(runs.c.run_id == run.run_id).values(done))


async def put_off(session: AsyncSession, run: Due, delay: timedelta) -> None:
    """Have a run wait before it is tried again."""
    later = {"retry_at": func.clock_timestamp() + delay}
    await session.execute(runs.update().where(runs.c.run_id == run.run_id).values(later))


async def prune(session: AsyncSession, written_before: datetime, any_before: datetime) -> None:
    """Forget the events of runs that MLflow has, and all of runs without news for long."""
    has_all = (runs.c.news <= runs.c.written) & (runs.c.news_at < written_before)
    done = select(runs.c.run_id).where(has_all)
    await session.execute(events.delete().where(events.c.run_id.in_(done)))
    await session.execute(runs.delete().where(runs.c.news_at < any_before))
