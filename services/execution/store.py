"""Tables of execution: the dry-run book and the intents."""

from decimal import Decimal

from sqlalchemy import (
    Column,
    DateTime,
    ForeignKey,
    Integer,
    Numeric,
    String,
    Table,
    UniqueConstraint,
    Uuid,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.execution.book import held
from shared.db import make_metadata
from shared.events.order import AccountSnapshot, OrderChanged, Position
from shared.recorded import recorded_table

_MONEY = Numeric(20, 6)

metadata = make_metadata("execution")
recorded = recorded_table(metadata)
accounts = Table(
    "accounts",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("cash", _MONEY, nullable=False),
)
positions = Table(
    "positions",
    metadata,
    Column("account", String(64), ForeignKey(accounts.c.account), primary_key=True),
    Column("symbol", String(16), primary_key=True),
    Column("quantity", _MONEY, nullable=False),
    Column("average_price", _MONEY, nullable=False),
)
intents = Table(
    "intents",
    metadata,
    Column("intent_id", Uuid, primary_key=True),
    Column("run_id", String(64), nullable=False),
    Column("symbol", String(16), nullable=False),
    Column("account", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    UniqueConstraint("run_id", "symbol"),
)


async def hold_account(session: AsyncSession, account: str, cash: Decimal) -> AccountSnapshot:
    """Lock an account until the end of the transaction and return it as it is under the lock.

    It is opened with ``cash`` where there is none. Everyone locks it before anything else, so that
    neither two symbols nor two replicas pass a limit together, and none waits for the other.
    """
    # Setting the cash to what it is locks the row in the statement that would open it.
    opened = (
        insert(accounts)
        .values(account=account, cash=cash)
        .on_conflict_do_update(index_elements=["account"], set_={"cash": accounts.c.cash})
        .returning(accounts.c.cash)
    )
    found = (await session.execute(opened)).scalar_one()
    # A statement of its own: only one that starts under the lock sees what was before it.
    query = (
        select(positions.c.symbol, positions.c.quantity, positions.c.average_price)
        .where(positions.c.account == account)
        .order_by(positions.c.symbol)
    )
    rows = (await session.execute(query)).mappings()
    return AccountSnapshot(
        account=account, cash=found, positions=tuple(Position(**row) for row in rows)
    )


async def save_account(session: AsyncSession, after: AccountSnapshot, symbol: str) -> None:
    """Write the cash and one position of an account that this transaction holds."""
    row = accounts.c.account == after.account
    await session.execute(accounts.update().where(row).values(cash=after.cash))
    if held(after, symbol) == 0:
        flat = (positions.c.account == after.account) & (positions.c.symbol == symbol)
        await session.execute(positions.delete().where(flat))
        return
    position = next(p for p in after.positions if p.symbol == symbol)
    values = {"quantity": position.quantity, "average_price": position.average_price}
    await session.execute(
        insert(positions)
        .values(account=after.account, symbol=symbol, **values)
        .on_conflict_do_update(index_elements=["account", "symbol"], set_=values)
    )


async def add_intent(session: AsyncSession, event: OrderChanged) -> bool:
    """Insert the intent of an order event; return False where its run and symbol have one."""
    statement = (
        insert(intents)
        .values(
            intent_id=event.intent_id,
            run_id=event.run_id,
            symbol=event.symbol,
            account=event.account,
            state=event.state,
            seq=event.seq,
        )
        .on_conflict_do_nothing()
        .returning(intents.c.intent_id)
    )
    return (await session.execute(statement)).first() is not None
