"""What no message triggers, on a real PostgreSQL: lost runs are closed, old records forgotten."""

import uuid
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from services.api import ledger, store
from services.api.entry import Entry
from services.api.lost import LONG_AFTER, QUIET_FOR, close_lost
from shared.envelope import encode
from shared.events.run import RunAccepted, RunMarketOpen
from shared.market_time import TimeRecord, wall_now, write_record
from shared.service import make_stage
from shared.settings import DatabaseSettings, MarketTimeSettings, Settings
from shared.stage import WHOLE, Stage
from shared.sweep import KEPT, prune
from tests.unit.cli.builders import BELL, accepted, market_open

EXPIRY = BELL + timedelta(minutes=30)


def released() -> RunMarketOpen:
    return market_open().model_copy(update={"expires_at": EXPIRY})


@pytest.fixture
async def stage(database: DatabaseSettings, tmp_path: Path) -> AsyncIterator[Stage]:
    """The stage of the api, long after the end of a run of yesterday."""
    record = tmp_path / "time.json"
    write_record(record, TimeRecord(start=EXPIRY + LONG_AFTER))
    settings = Settings(database=database, market_time=MarketTimeSettings(record=record))
    made = make_stage(settings, service="api", recorded=store.recorded)
    async with made.sessions.begin() as session:
        await session.execute(
            text("TRUNCATE api.runs, api.run_symbols, api.recorded, ledger.events")
        )
    yield made
    await made.sessions.kw["bind"].dispose()


def entry(event: RunAccepted | RunMarketOpen, at: datetime) -> Entry:
    message = encode(event, source="test")
    return Entry(
        event_id=event.event_id,
        run_id=event.run_id,
        symbol=None,
        type=event.type,
        topic=message.topic,
        partition=0,
        offset=0,
        timestamp=at,
        source="test",
        key=message.key,
        headers=message.headers,
        body=message.body,
    )


async def keep(stage: Stage, at: datetime, *events: RunAccepted | RunMarketOpen) -> None:
    run = accepted().model_copy(update={"occurred_at": at})
    async with stage.sessions.begin() as session:
        await store.add_run(session, run, "hash")
        await ledger.append(session, [entry(event, at) for event in events])


async def pending(stage: Stage) -> list[str]:
    async with stage.sessions() as session:
        return [m.body for _, _, ms in await stage.recorded.pending(session) for m in ms]


async def test_a_lost_run_fails_once_with_the_code_lost(stage: Stage) -> None:
    await keep(stage, wall_now() - QUIET_FOR, accepted(), released())

    found = [await close_lost(stage) for _ in range(2)]

    (body,) = await pending(stage)
    assert found == [[accepted().run_id], []]
    assert '"code":"lost"' in body
    assert '"step":"finish"' in body


async def test_a_run_of_just_now_is_left_alone(stage: Stage) -> None:
    await keep(stage, wall_now(), accepted(), released())

    assert await close_lost(stage) == []
    assert await pending(stage) == []


async def test_a_run_that_was_not_released_is_left_alone(stage: Stage) -> None:
    await keep(stage, wall_now() - QUIET_FOR, accepted())

    assert await close_lost(stage) == []


async def test_what_was_recorded_is_forgotten_when_kafka_has_long_forgotten_it(
    stage: Stage,
) -> None:
    old, new = uuid.uuid4(), uuid.uuid4()
    async with stage.sessions.begin() as session:
        for input_id in (old, new):
            await stage.recorded.add(session, input_id, WHOLE, [])
        await session.execute(
            text("UPDATE api.recorded SET recorded_at = :at WHERE input_id = :id"),
            {"at": wall_now() - KEPT - timedelta(hours=1), "id": old},
        )

    assert await prune(stage) == 1
    async with stage.autocommit() as session:
        assert await stage.recorded.find(session, old, WHOLE) is None
        assert await stage.recorded.find(session, new, WHOLE) == []
