import asyncio
import uuid
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.execution import store
from services.execution.book import exposure
from services.execution.handlers import answer
from shared.db import Sessions, make_engine, make_sessions
from shared.events.base import Mode
from shared.events.order import OrderChanged
from shared.events.run import Limits, Outcome
from shared.events.signal import Action, SignalChecked
from shared.market_time import TimeRecord, write_record
from shared.service import make_stage
from shared.settings import DatabaseSettings, MarketTimeSettings, Settings
from shared.stage import Stage
from tests.unit.execution.builders import (
    ACCOUNT,
    NOW,
    a_quote,
    a_signal,
    an_account,
    limits,
    running,
)


@pytest.fixture
async def engine(database: DatabaseSettings) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(database, name="test")
    async with engine.begin() as connection:
        await connection.execute(
            text("TRUNCATE execution.accounts, execution.positions, execution.intents")
        )
    yield engine
    await engine.dispose()


@pytest.fixture
def sessions(engine: AsyncEngine) -> Sessions:
    return make_sessions(engine)


@pytest.fixture
def stage(database: DatabaseSettings, tmp_path: Path) -> Stage:
    """The stage of execution, with market time standing at the signals' moment."""
    record = tmp_path / "time.json"
    write_record(record, TimeRecord(start=NOW))
    settings = Settings(database=database, market_time=MarketTimeSettings(record=record))
    return make_stage(settings, service="execution", recorded=store.recorded)


async def settled(stage: Stage, sessions: Sessions, signal: SignalChecked) -> list[OrderChanged]:
    async with sessions.begin() as session:
        return await answer(stage, session, signal, running())


async def the_only_answer(stage: Stage, sessions: Sessions, signal: SignalChecked) -> OrderChanged:
    (event,) = await settled(stage, sessions, signal)
    return event


async def someone_waits_for_a_lock(sessions: Sessions) -> None:
    """Return once a transaction is held up by another."""
    waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    async with asyncio.timeout(10):
        while True:
            async with sessions.begin() as session:
                if (await session.execute(waiting)).scalar_one() > 0:
                    return


def room_for_one(symbol: str) -> SignalChecked:
    """A signal for 9,000 dollars where the account may hold 9,000 in all."""
    within: Limits = limits(max_gross_exposure=9_000)
    return a_signal(run_id=f"run-{symbol}", symbol=symbol, limits=within)


async def test_two_symbols_at_once_cannot_pass_a_limit_together(
    stage: Stage, sessions: Sessions
) -> None:
    async with sessions.begin() as first:
        (tsla,) = await answer(stage, first, room_for_one("TSLA"), running())
        other = asyncio.create_task(the_only_answer(stage, sessions, room_for_one("NVDA")))
        await someone_waits_for_a_lock(sessions)
        assert not other.done()
    nvda = await other

    assert (tsla.outcome, nvda.outcome) == (Outcome.SIMULATED, Outcome.DECLINED)
    assert nvda.code == "too_small"
    assert "bound by max_gross_exposure" in nvda.reason
    assert nvda.snapshot is not None
    assert exposure(nvda.snapshot, "NVDA", Decimal(100)) == 9_000


async def test_many_at_once_spend_the_cash_once(stage: Stage, sessions: Sessions) -> None:
    poor = limits(dry_run_cash=25_000)
    signals = [a_signal(run_id=f"run-{n}", symbol=f"S{n}", limits=poor, atr=1) for n in range(8)]

    events = await asyncio.gather(*(the_only_answer(stage, sessions, s) for s in signals))

    spent = sum(e.fill.price * e.fill.quantity for e in events if e.fill is not None)
    async with sessions.begin() as session:
        account = await store.hold_account(session, ACCOUNT, Decimal(0))
    assert spent == 25_000
    assert [account.cash, exposure(account, "", Decimal(0))] == [0, 25_000]


async def test_an_account_is_opened_once_with_the_cash_of_the_limits(sessions: Sessions) -> None:
    async with sessions.begin() as session:
        assert await store.hold_account(session, ACCOUNT, Decimal(70_000)) == an_account(70_000)
    async with sessions.begin() as session:
        assert await store.hold_account(session, ACCOUNT, Decimal(1)) == an_account(70_000)


async def test_what_is_bought_is_there_to_be_sold_and_then_gone(
    stage: Stage, sessions: Sessions
) -> None:
    sell = a_signal(Action.SELL, run_id="run-2", quote=a_quote(bid="99.9", ask="100"))

    bought = await the_only_answer(stage, sessions, a_signal())
    sold = await the_only_answer(stage, sessions, sell)

    assert bought.fill is not None
    assert sold.fill is not None
    assert sold.fill.quantity == bought.fill.quantity == 100
    async with sessions.begin() as session:
        assert await store.hold_account(session, ACCOUNT, Decimal(0)) == an_account(99_990)


async def test_a_signal_is_answered_once_and_booked_once(stage: Stage, sessions: Sessions) -> None:
    first = await settled(stage, sessions, a_signal())
    again = await settled(stage, sessions, a_signal())

    assert [event.seq for event in first] == [1]
    assert again == []
    async with sessions.begin() as session:
        account = await store.hold_account(session, ACCOUNT, Decimal(0))
        assert account == an_account(90_000, TSLA=(100, 100))
        intents = select(func.count()).select_from(store.intents)
        assert (await session.execute(intents)).scalar() == 1


async def test_an_answer_that_is_rolled_back_leaves_nothing(
    stage: Stage, sessions: Sessions
) -> None:
    async with sessions() as session:
        await answer(stage, session, a_signal(), running())
        await session.rollback()

    event = await the_only_answer(stage, sessions, a_signal())

    assert event.snapshot == an_account()


async def test_the_answer_tells_what_it_was_decided_on(stage: Stage, sessions: Sessions) -> None:
    event = await the_only_answer(stage, sessions, a_signal(Action.HOLD, code="no_reason"))

    assert (event.state, event.outcome, event.code) == ("held", "held", "no_reason")
    assert event.closing
    assert event.key() == "dry:1"
    assert event.intent_id == uuid.UUID("835618ac-3653-57d6-9d77-012fcc3a1be5")
    assert (event.switches, event.limits, event.decided_at) == (running(), limits(), NOW)


@pytest.mark.parametrize("mode", [Mode.PAPER, Mode.LIVE])
async def test_a_mode_that_orders_is_declined_and_touches_no_book(
    stage: Stage, sessions: Sessions, mode: Mode
) -> None:
    event = await the_only_answer(stage, sessions, a_signal(mode=mode))

    assert (event.outcome, event.code) == (Outcome.DECLINED, "mode_unavailable")
    assert (event.account, event.order, event.fill) == ("DU1234567", None, None)
    async with sessions.begin() as session:
        opened = select(func.count()).select_from(store.accounts)
        assert (await session.execute(opened)).scalar() == 0
