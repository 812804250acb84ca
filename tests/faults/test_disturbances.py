"""A run disturbed from outside ends once, with the decision of an undisturbed one."""

import asyncio
import json
import os
import subprocess
import sys

import pytest

from tests.faults.test_windows import ask_on_the_bus, ends_once_as, undisturbed
from tests.running import ROOT, Running, fresh_strategy, new_run_id, of_run, until_async

__all__ = ["undisturbed"]


async def is_under_way(running: Running, run_id: str, topic: str) -> None:
    async def look() -> bool | None:
        return True if of_run(await running.records(topic), run_id) else None

    await until_async(look, f"{run_id} on {topic}")


async def test_a_request_repeated_three_times_is_one_run(
    running: Running, undisturbed: str
) -> None:
    run_id = new_run_id()
    body = json.dumps({"strategy_id": fresh_strategy(), "run_id": run_id}).encode()

    for _ in range(3):
        await running.publish("run.requested", body)

    await ends_once_as(running, run_id, undisturbed)
    assert len(of_run(await running.records("run.accepted"), run_id)) == 1
    assert len(of_run(await running.records("run.finished"), run_id)) == 1


@pytest.mark.timeout(120)
async def test_postgresql_dies_in_mid_run(running: Running, undisturbed: str) -> None:
    with running.fault(kind="delay", path="marketdata/snapshot", seconds=2):
        run_id = await ask_on_the_bus(running)
        await is_under_way(running, run_id, "run.broker-ready")
        running.kill("postgres")

        await ends_once_as(running, run_id, undisturbed)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("seconds", [2, 9], ids=["short", "beyond the session time-out"])
async def test_kafka_freezes_in_mid_run(running: Running, undisturbed: str, seconds: int) -> None:
    with running.fault(kind="delay", path="marketdata/snapshot", seconds=1):
        run_id = await ask_on_the_bus(running)
        await is_under_way(running, run_id, "run.broker-ready")
        with running.frozen("kafka"):
            await asyncio.sleep(seconds)

        await ends_once_as(running, run_id, undisturbed)


@pytest.mark.timeout(120)
async def test_partitions_move_while_a_handler_works(running: Running, undisturbed: str) -> None:
    with running.fault(kind="delay", path="marketdata/snapshot", seconds=4):
        run_id = await ask_on_the_bus(running)
        await is_under_way(running, run_id, "run.broker-ready")
        second = await asyncio.to_thread(start_replica, running, "marketdata", 1)
        try:
            await ends_once_as(running, run_id, undisturbed)
        finally:
            second.terminate()
            second.wait(20)


def start_replica(running: Running, service: str, ordinal: int) -> subprocess.Popen[bytes]:
    """Start one more member of a service's group, outside the supervisor."""
    command = ["uvicorn", "--factory", f"services.{service}.main:build_app", "--port", "0"]
    return subprocess.Popen(
        [sys.executable, "-m", *command, "--log-level", "warning"],
        env=os.environ | running.stack.env_for(service, ordinal),
        cwd=ROOT,
    )
