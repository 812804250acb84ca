"""Tables of the api: the runs and their symbols."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, DateTime, Integer, Row, String, Table, Text, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db import make_metadata
from shared.events.run import Outcome, RunAccepted, RunFinished, SymbolOutcome
from shared.recorded import recorded_table

metadata = make_metadata("api")
recorded = recorded_table(metadata)

runs = Table(
    "runs",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("accepted", Text, nullable=False),
    Column("strategy_id", Integer, nullable=False),
    Column("mode", String(16), nullable=False),
    Column("status", String(16), nullable=False, server_default="running"),
    Column("decision_hash", String(64)),
    Column("accepted_at", DateTime(timezone=True), nullable=False, index=True),
    Column("finished_at", DateTime(timezone=True)),
)
run_symbols = Table(
    "run_symbols",
    metadata,
    Column("run_id", String(64), primary_key=True),
    Column("symbol", String(16), primary_key=True),
    Column("place", Integer, nullable=False),
    Column("outcome", String(16)),
    Column("code", String(64)),
    Column("reason", Text),
    Column("decision_hash", String(64)),
)
tokens = Table(
    "tokens",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)


@dataclass(frozen=True)
class Run:
    """A run as the api knows it. ``symbols`` in the order of the request."""

    accepted: RunAccepted
    request_hash: str
    status: str
    decision_hash: str | None
    accepted_at: datetime
    finished_at: datetime | None
    symbols: tuple[SymbolOutcome | str, ...]

    @property
    def open_symbols(self) -> list[str]:
        """Return the symbols that have no outcome yet."""
        return [s for s in self.symbols if isinstance(s, str)]

    @property
    def outcomes(self) -> list[SymbolOutcome]:
        """Return the outcomes so far."""
        return [s for s in self.symbols if isinstance(s, SymbolOutcome)]


async def add_run(session: AsyncSession, accepted: RunAccepted, request_hash: str) -> bool:
    """Add a run; return False where its id is taken."""
    statement = (
        insert(runs)
        .values(
            run_id=accepted.run_id,
            request_hash=request_hash,
            accepted=accepted.model_dump_json(),
            strategy_id=accepted.context.strategy.id,
            mode=accepted.context.mode.value,
            accepted_at=accepted.occurred_at,
        )
        .on_conflict_do_nothing()
        .returning(runs.c.run_id)
    )
    if (await session.execute(statement)).first() is None:
        return False
    rows = [
        {"run_id": accepted.run_id, "symbol": symbol, "place": place}
        for place, symbol in enumerate(accepted.symbols)
    ]
    await session.execute(insert(run_symbols).values(rows))
    return True


async def find_run(session: AsyncSession, run_id: str, *, lock: bool = False) -> Run | None:
    """Return a run, or None. With ``lock`` its row is held until the transaction ends."""
    query = select(runs).where(runs.c.run_id == run_id)
    row = (await session.execute(query.with_for_update() if lock else query)).one_or_none()
    return None if row is None else (await _with_symbols(session, [row]))[0]


async def list_runs(session: AsyncSession, *, limit: int) -> list[Run]:
    """Return the newest runs, newest first."""
    query = select(runs).order_by(runs.c.accepted_at.desc()).limit(limit)
    return await _with_symbols(session, (await session.execute(query)).all())


async def running_since(session: AsyncSession, accepted_before: datetime) -> Sequence[str]:
    """Return the ids of the runs that are not closed."""
    open_ones = (runs.c.status == "running") & (runs.c.accepted_at < accepted_before)
    return (await session.scalars(select(runs.c.run_id).where(open_ones))).all()


async def close_symbol(session: AsyncSession, run_id: str, outcome: SymbolOutcome) -> None:
    """Give an open symbol its outcome; the first one is final."""
    await session.execute(
        run_symbols.update()
        .where(
            run_symbols.c.run_id == run_id,
            run_symbols.c.symbol == outcome.symbol,
            run_symbols.c.outcome.is_(None),
        )
        .values(outcome.model_dump(mode="json"))
    )


async def finish_run(session: AsyncSession, finished: RunFinished) -> None:
    """Close a run."""
    await session.execute(
        runs.update()
        .where(runs.c.run_id == finished.run_id)
        .values(
            status=finished.status,
            decision_hash=finished.decision_hash,
            finished_at=finished.occurred_at,
        )
    )


async def _with_symbols(session: AsyncSession, rows: Sequence[Row[Any]]) -> list[Run]:
    ids = [row.run_id for row in rows]
    query = select(run_symbols).where(run_symbols.c.run_id.in_(ids)).order_by(run_symbols.c.place)
    by_run: dict[str, list[SymbolOutcome | str]] = {run_id: [] for run_id in ids}
    for symbol in await session.execute(query):
        by_run[symbol.run_id].append(_outcome(symbol))
    return [
        Run(
            accepted=RunAccepted.model_validate_json(row.accepted),
            request_hash=row.request_hash,
            status=row.status,
            decision_hash=row.decision_hash,
            accepted_at=row.accepted_at,
            finished_at=row.finished_at,
            symbols=tuple(by_run[row.run_id]),
        )
        for row in rows
    ]


def _outcome(row: Row[Any]) -> SymbolOutcome | str:
    if row.outcome is None:
        return str(row.symbol)
    return SymbolOutcome(
        symbol=row.symbol,
        outcome=Outcome(row.outcome),
        code=row.code,
        reason=row.reason,
        decision_hash=row.decision_hash,
    )
