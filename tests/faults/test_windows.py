"""A stage killed in each window of its work, by SIGKILL from outside.

A lock on the table of what is recorded holds a handler just before it records; a stopped Kafka
holds it between recording and publishing; offsets set back while the service is dead are what a
death between publishing and committing leaves behind.
"""

import asyncio
import contextlib
import json
import os
import signal
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.running import STAGES, Running, fresh_strategy, new_run_id, of_run, until_async


@pytest.fixture(scope="module")
def undisturbed(running: Running) -> str:
    run = running.finished(running.trigger(strategy_id=fresh_strategy()))
    assert [s["outcome"] for s in run["symbols"]] == ["simulated", "simulated"]
    found: str = run["decision_hash"]
    return found


async def ask_on_the_bus(running: Running) -> str:
    run_id = new_run_id()
    body = {"strategy_id": fresh_strategy(), "run_id": run_id}
    await running.publish("run.requested", json.dumps(body).encode())
    return run_id


async def ends_once_as(running: Running, run_id: str, undisturbed: str) -> None:
    run = await asyncio.to_thread(running.finished, run_id, 60)
    finished = of_run(await running.records("run.finished"), run_id)
    orders = of_run(await running.records("order.changed"), run_id)

    assert run["decision_hash"] == undisturbed, run["symbols"]
    assert len({dict(r.headers)["ce_id"] for r in finished}) == 1
    assert len({r.value for r in finished}) == 1
    assert len({dict(r.headers)["ce_id"] for r in orders}) == 2
    assert len({r.value for r in orders}) == 2


@contextlib.asynccontextmanager
async def nothing_can_be_recorded(running: Running, schema: str) -> AsyncIterator[Any]:
    async with running.db() as db:
        transaction = db.transaction()
        await transaction.start()
        await db.execute(f"LOCK TABLE {schema}.recorded IN EXCLUSIVE MODE")
        ended = False

        async def release() -> None:
            nonlocal ended
            if not ended:
                ended = True
                await transaction.rollback()

        try:
            yield release
        finally:
            await release()


async def settle(running: Running) -> None:
    """Let one run through, so that nothing of the test before is still on its way."""
    await asyncio.to_thread(running.finished, running.trigger(strategy_id=fresh_strategy()))


async def waits_to_record(running: Running, service: str) -> None:
    async with running.db() as db:

        async def look() -> bool | None:
            waiting = await db.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1"
                " AND wait_event_type = 'Lock' AND query ILIKE 'INSERT INTO%recorded%'",
                f"openbell-{service}",
            )
            return True if waiting else None

        await until_async(look, f"{service} about to record")


async def recorded(db: asyncpg.Connection, schema: str, run_id: str) -> bool | None:
    query = f"SELECT true FROM {schema}.recorded WHERE messages::text LIKE $1 LIMIT 1"
    found: bool | None = await db.fetchval(query, f"%{run_id}%")
    return found


@pytest.mark.timeout(120)
async def test_killed_before_recording(running: Running, undisturbed: str, victim: str) -> None:
    await settle(running)
    async with nothing_can_be_recorded(running, victim) as release:
        run_id = await ask_on_the_bus(running)
        await waits_to_record(running, victim)
        running.kill(victim)
        await release()

    await ends_once_as(running, run_id, undisturbed)


@pytest.mark.timeout(120)
async def test_killed_when_recorded_but_not_published(
    running: Running, undisturbed: str, victim: str
) -> None:
    await settle(running)
    async with running.db() as db, nothing_can_be_recorded(running, victim) as release:
        run_id = await ask_on_the_bus(running)
        await waits_to_record(running, victim)
        with running.frozen("kafka"):
            await release()
            await until_async(lambda: recorded(db, victim, run_id), "the record")
            running.kill(victim)

    await ends_once_as(running, run_id, undisturbed)


@pytest.mark.timeout(120)
async def test_killed_when_published_but_not_committed(running: Running, undisturbed: str) -> None:
    run_id = await ask_on_the_bus(running)
    await ends_once_as(running, run_id, undisturbed)
    before = await positions(running)
    supervisor = running.stack.running_state().pid

    # The supervisor sleeps, so that the dead stay dead until Kafka has forgotten them.
    os.kill(supervisor, signal.SIGSTOP)
    try:
        for stage in STAGES:
            running.kill(stage)
        for stage, topic in _INPUTS:
            await set_back_by_one(running, f"{stage}.{topic}", topic, run_id)
    finally:
        os.kill(supervisor, signal.SIGCONT)

    again = await ask_on_the_bus(running)
    await ends_once_as(running, again, undisturbed)
    await ends_once_as(running, run_id, undisturbed)
    for _, topic in _INPUTS:
        twice = of_run(await running.records(_OUTPUT[topic]), run_id)
        assert len(twice) > len({dict(r.headers)["ce_id"] for r in twice}), "published again"
    after = await positions(running)
    assert {a: after[a] for a in before} == before


_INPUTS = (
    ("api", "run.requested"),
    ("clock", "run.accepted"),
    ("gateway", "run.market-open"),
    ("marketdata", "run.broker-ready"),
    ("signals", "evidence.captured"),
    ("execution", "signal.checked"),
    ("api", "order.changed"),
)
_OUTPUT = {
    "run.requested": "run.accepted",
    "run.accepted": "run.market-open",
    "run.market-open": "run.broker-ready",
    "run.broker-ready": "evidence.captured",
    "evidence.captured": "signal.checked",
    "signal.checked": "order.changed",
    "order.changed": "run.finished",
}


async def positions(running: Running) -> dict[str, list[Any]]:
    async with running.db() as db:
        rows = await db.fetch(
            "SELECT account, array_agg(symbol || ' ' || quantity ORDER BY symbol) AS held"
            " FROM execution.positions GROUP BY account"
        )
        return {row["account"]: row["held"] for row in rows}


async def set_back_by_one(running: Running, group: str, topic: str, run_id: str) -> None:
    """Commit the offset of the run's first record on a topic, as soon as the group is empty."""
    first = of_run(await running.records(topic), run_id)[0]
    where = TopicPartition(topic, first.partition)

    async def commit() -> bool | None:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=running.kafka, group_id=group, enable_auto_commit=False
        )
        await consumer.start()
        try:
            consumer.assign([where])
            await consumer.commit({where: first.offset})
        except Exception as e:  # noqa: BLE001  # the group still has its dead member
            assert "Member" in type(e).__name__ or "Commit" in type(e).__name__, repr(e)
            return None
        finally:
            await consumer.stop()
        return True

    await until_async(commit, f"group {group} to be empty", 30)
