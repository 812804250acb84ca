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
    """Instruments and bars as the broker told them."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def instrument(self, symbol: str, now: datetime) -> Instrument | None:
        """Return the instrument if it was verified within a day of ``now`` (wall time)."""
        query = select(contracts.c.contract).where(
            contracts.c.symbol == symbol, contracts.c.verified_at > now - VERIFIED_FOR
        )
        async with self._sessions() as session:
            found = (await session.execute(query)).scalar_one_or_none()
        return None if found is None else Instrument.model_validate(found)

    async def keep_instrument(self, instrument: Instrument, now: datetime) -> None:
        """Keep an instrument that was verified at ``now`` (wall time)."""
        fresh = {"contract": instrument.model_dump(mode="json"), "verified_at": now}
        statement = insert(contracts).values(symbol=instrument.symbol, **fresh)
        async with self._sessions.begin() as session:
            await session.execute(
                statement.on_conflict_do_update(index_elements=["symbol"], set_=fresh)
            )

    async def bars(self, conid: int, through: date) -> tuple[Bar, ...] | None:
        """Return the daily bars up to and with the day ``through``, or None."""
        query = select(bars.c.bars).where(
            bars.c.conid == conid, bars.c.bar_size == DAILY, bars.c.through == through
        )
        async with self._sessions() as session:
            found = (await session.execute(query)).scalar_one_or_none()
        return None if found is None else _BARS.validate_python(found)

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
