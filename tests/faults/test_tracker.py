"""MLflow away, the tracker killed: afterwards every run is there once, with its true status.

CI takes a few runs, ``--tracking=all`` fifty. Kafka, PostgreSQL, the tracker and MLflow are real;
the runs are put onto the bus as the services publish them.
"""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from deploy.native.stack import Stack
from deploy.native.wiring import MLFLOW_SETTING
from tests.mlflow_server import MlflowRun, MlflowServer
from tests.running import ALONE, until
from tests.tracked_runs import run_messages

pytestmark = pytest.mark.timeout(600)

PARTS = ("postgres", "kafka", "migrate", "topics", "tracker")
LIMIT_S = 60.0
# Where nothing is said of time, and everything else of the tests may run beside it.
PATIENCE_S = 240.0
# Each look costs MLflow as much as a run does.
_LOOK_EVERY_S, _BRIEFLY_S = 2.0, 0.3
Runs = dict[str, bool]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix="openbell-tracker-"))
    home.chmod(0o755)
    yield home
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def mlflow(home: Path) -> Iterator[MlflowServer]:
    server = MlflowServer(home / "mlflow")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def stack(home: Path, mlflow: MlflowServer) -> Iterator[Stack]:
    stack = Stack(home / "stack", ALONE | {MLFLOW_SETTING: mlflow.url})
    try:
        stack.up(PARTS)
        yield stack
    finally:
        stack.down()


@pytest.fixture
def there(mlflow: MlflowServer) -> MlflowServer:
    """MLflow, up, whatever the test before left."""
    mlflow.start()
    return mlflow


@pytest.fixture(scope="module")
def count(pytestconfig: pytest.Config) -> int:
    return 50 if pytestconfig.getoption("--tracking") == "all" else 5


def runs(prefix: str, count: int) -> Runs:
    """Ids, and whether each run fails: every fifth does."""
    return {f"{prefix}-{n:02}": n % 5 == 4 for n in range(count)}


async def publish(stack: Stack, some: Runs) -> None:
    servers = stack.config()["kafka"]["bootstrap_servers"]
    async with AIOKafkaProducer(bootstrap_servers=servers) as producer:
        for run_id, fails in some.items():
            for message in run_messages(run_id, fails=fails):
                await producer.send(message.topic, message.body.encode(), message.key.encode())
        await producer.flush()


def kill(stack: Stack) -> None:
    pid = until(lambda: stack.part("tracker").pid, "the tracker's process")
    os.kill(pid, signal.SIGKILL)


def are_there(mlflow: MlflowServer, wanted: Runs, limit_s: float = PATIENCE_S) -> list[MlflowRun]:
    """Wait until all runs and their children are there and none goes on."""
    end = time.monotonic() + limit_s
    while True:
        found = [run for run in mlflow.runs() if run.run_id in wanted]
        goes_on = [run for run in found if run.status == "RUNNING"]
        if len(found) >= 3 * len(wanted) and not goes_on:
            return found
        told = f"{len(found)} of {3 * len(wanted)}, {len(goes_on)} of them go on"
        assert time.monotonic() < end, f"after {limit_s} s: {told}"
        time.sleep(_LOOK_EVERY_S)


async def publish_until_some_are_there(stack: Stack, mlflow: MlflowServer, some: Runs) -> None:
    """Put runs onto the bus; return when the first of them are in MLflow, and others are not."""
    before = len(mlflow.runs())
    await publish(stack, some)
    while len(mlflow.runs()) <= before + 1:  # noqa: ASYNC110  # it tells nobody by itself
        await asyncio.sleep(_BRIEFLY_S)


def assert_each_once_and_true(found: list[MlflowRun], wanted: Runs) -> None:
    parents = {run.id: run for run in found if run.parent is None}
    children = [run for run in found if run.parent is not None]
    assert Counter(run.run_id for run in parents.values()) == dict.fromkeys(wanted, 1)
    assert Counter((run.run_id, run.name) for run in children) == {
        (run_id, symbol): 1 for run_id in wanted for symbol in ("TSLA", "NVDA")
    }
    assert {run.run_id: run.status for run in parents.values()} == {
        run_id: "FAILED" if fails else "FINISHED" for run_id, fails in wanted.items()
    }
    for child in children:
        assert child.parent is not None
        assert parents[child.parent].run_id == child.run_id
        fails = child.name == "NVDA" and wanted[child.run_id]
        assert child.status == ("FAILED" if fails else "FINISHED")


async def test_runs_wait_for_mlflow_and_the_tracker_may_die_meanwhile(
    stack: Stack, mlflow: MlflowServer, count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = runs("waits", count)
    half = dict(list(wanted.items())[: count // 2])

    mlflow.stop()
    await publish(stack, half)
    kill(stack)
    await publish(stack, {run_id: f for run_id, f in wanted.items() if run_id not in half})
    took = mlflow.start()
    back = time.monotonic()
    found = are_there(mlflow, wanted, LIMIT_S)

    with capsys.disabled():
        behind = time.monotonic() - back
        said = f"MLflow answers after {took:.1f} s; {count} runs are there {behind:.1f} s later"
        sys.stdout.write(f"\n{said}\n")
    assert_each_once_and_true(found, wanted)


async def test_a_tracker_that_dies_while_it_writes_writes_nothing_twice(
    stack: Stack, there: MlflowServer, count: int
) -> None:
    wanted = runs("dies", count)

    await publish_until_some_are_there(stack, there, wanted)
    kill(stack)
    found = are_there(there, wanted)

    assert_each_once_and_true(found, wanted)


async def test_an_mlflow_that_restarts_in_between_has_each_run_once(
    stack: Stack, there: MlflowServer, count: int
) -> None:
    wanted = runs("restarts", count)

    await publish_until_some_are_there(stack, there, wanted)
    there.stop()
    there.start()
    found = are_there(there, wanted)

    assert_each_once_and_true(found, wanted)


async def test_a_run_and_its_symbols_say_what_happened(stack: Stack, there: MlflowServer) -> None:
    wanted = {"says": False}
    await publish(stack, wanted)

    found = are_there(there, wanted)

    tsla = next(run for run in found if run.name == "TSLA")
    assert tsla.tags["openbell.outcome"] == "held"
    assert tsla.params["prompt_version"].startswith("momentum-v1")
    assert tsla.metrics["tokens/prompt"] == 900
    assert set(there.files(tsla)) == {
        "answer.txt",
        "chart.svg",
        "evidence.json",
        "order.json",
        "prompt.json",
        "signal.json",
        "timeline.json",
    }
    (trace,) = there.traces_of(tsla)
    assert trace["state"] == "OK"
    assert trace["execution_duration"] == "1.200s"
