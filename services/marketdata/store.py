"""Tables of marketdata: what was recorded, and what the broker need not be asked again."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from pydantic import TypeAdapter
from sqlalchemy import JSON, BigInteger, Column, Date, DateTime, String, Table, func, select
from sqlalchemy.dialects.postgresql import insert

from shared.db import Sessions, make_metadata
from shared.events.evidence import Bar
from shared.ibkr.contracts import Instrument
from shared.ibkr.history import DAILY
from shared.recorded import recorded_table

metadata = make_metadata("marketdata")
recorded = recorded_table(metadata)
contracts = Table(
    "contracts",
    metadata,
    Column("symbol", String(16), primary_key=True),
    Column("contract", JSON, nullable=False),
    Column("verified_at", DateTime(timezone=True), nullable=False),
)
bars = Table(
    "bars",
    metadata,
    Column("conid", BigInteger, primary_key=True),
    Column("bar_size", String(8), primary_key=True),
    Column("through", Date, primary_key=True),
    Column("bars", JSON, nullable=False),
    Column("captured_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)

# A ticker may pass to another company; within a day it does not.
VERIFIED_FOR = timedelta(days=1)
_BARS = TypeAdapter(tuple[Bar, ...])


class Cache:
    """Instruments and bars as the broker told them: in memory, and in PostgreSQL behind it."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._instruments: dict[str, tuple[Instrument, datetime]] = {}
        # Of each contract the newest day alone: an older one is not asked for again.
        self._bars: dict[int, tuple[date, tuple[Bar, ...]]] = {}

    async def instrument(self, symbol: str, now: datetime) -> Instrument | None:
        """Return the instrument if it was verified within a day of ``now`` (wall time)."""
        if symbol not in self._instruments:
            query = select(contracts.c.contract, contracts.c.verified_at).where(
                contracts.c.symbol == symbol
            )
            async with self._sessions() as session:
                row = (await session.execute(query)).first()
            if row is None:
                return None
            self._instruments[symbol] = (Instrument.model_validate(row[0]), row[1])
        instrument, verified_at = self._instruments[symbol]
        return instrument if now < verified_at + VERIFIED_FOR else None

    async def keep_instrument(self, instrument: Instrument, now: datetime) -> None:
        """Keep an instrument that was verified at ``now`` (wall time)."""
        fresh = {"contract": instrument.model_dump(mode="json"), "verified_at": now}
        statement = insert(contracts).values(symbol=instrument.symbol, **fresh)
        async with self._sessions.begin() as session:
            await session.execute(
                statement.on_conflict_do_update(index_elements=["symbol"], set_=fresh)
            )
        self._instruments[instrument.symbol] = (instrument, now)

    async def bars(self, conid: int, through: date) -> tuple[Bar, ...] | None:
        """Return the daily bars up to and with the day ``through``, or None."""
        day, known = self._bars.get(conid, (None, ()))
        if day == through:
            return known
        query = select(bars.c.bars).where(
            bars.c.conid == conid, bars.c.bar_size == DAILY, bars.c.through == through
        )
        async with self._sessions() as session:
            rows = (await session.execute(query)).scalar_one_or_none()
        if rows is None:
            return None
        found = _BARS.validate_python(rows)
        self._bars[conid] = (through, found)
        return found

    async def keep_bars(self, conid: int, through: date, found: Sequence[Bar]) -> None:
        """Keep the daily bars up to and with the day ``through``."""
        rows = _BARS.dump_python(tuple(found), mode="json")
        statement = insert(bars).values(conid=conid, bar_size=DAILY, through=through, bars=rows)
        async with self._sessions.begin() as session:
            await session.execute(
                statement.on_conflict_do_update(
                    index_elements=["conid", "bar_size", "through"], set_={"bars": rows}
                )
            )
        self._bars[conid] = (through, tuple(found))
