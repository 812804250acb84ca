"""The native stack itself: real Kafka and PostgreSQL as processes, killed and started again."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import httpx
import psutil
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.native.errors import PartFailedError, StackError
from deploy.native.home import CHECKOUT
from deploy.native.stack import Stack
from deploy.native.state import StackState, supervisor_pid

pytestmark = pytest.mark.timeout(240)

SETTINGS = {"OPENBELL_API__PORT": "0", "OPENBELL_KAFKA__PORT": "0"}
STORAGE = ("postgres", "kafka")
PATIENCE_S = 60.0


def eventually(met: Callable[[], bool], what: str) -> None:
    limit = time.monotonic() + PATIENCE_S
    while not met():
        assert time.monotonic() < limit, f"waited in vain until {what}"
        time.sleep(0.02)


def processes_of(home: Path) -> list[psutil.Process]:
    """Everything whose command line names the home."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(str(home) in word for word in process.info["cmdline"] or ())
    ]


def run_command(home: Path, *arguments: str) -> "subprocess.Popen[str]":
    env = {k: v for k, v in os.environ.items() if not k.startswith("OPENBELL_")}
    return subprocess.Popen(
        [sys.executable, "-m", "cli.main", *arguments],
        env=env | SETTINGS | {"OPENBELL_HOME": str(home), "PYTHONPATH": str(CHECKOUT)},
        cwd=home.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("stack") / "home", SETTINGS)
    try:
        yield stack
    finally:
        stack.down()


@pytest.fixture
def running(stack: Stack) -> Stack:
    """The stack, up, whatever the test before left."""
    stack.up(STORAGE)
    return stack


async def execute(stack: Stack, query: str) -> object:
    url = stack.env_for("api")["OPENBELL_DATABASE__URL"]
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def topics(stack: Stack, *, create: str | None = None) -> list[str]:
    servers = stack.env_for("api")["OPENBELL_KAFKA__BOOTSTRAP_SERVERS"]
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        if create:
            await admin.create_topics([NewTopic(create, 1, 1)])
        return list(await admin.list_topics())
    finally:
        await admin.close()


def test_all_wanted_parts_are_ready_and_nothing_else(running: Stack) -> None:
    parts = running.running_state().parts

    assert {(part.name, part.state) for part in parts} == {(name, "ready") for name in STORAGE}
    assert running.config()["kafka"]["bootstrap_servers"].startswith("127.0.0.1:")


def test_up_on_a_running_stack_joins_it(running: Stack) -> None:
    before = running.running_state().pid

    assert running.up(STORAGE).pid == before


async def test_data_survives_down_and_up(running: Stack) -> None:
    await execute(running, "CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS answer")
    await topics(running, create="kept")

    assert running.down()
    assert not processes_of(running.home.root)
    assert not running.down()
    running.up(STORAGE)

    assert await execute(running, "SELECT answer FROM kept") == 42
    assert "kept" in await topics(running)


@pytest.mark.parametrize("name", STORAGE)
def test_a_killed_part_comes_back_on_its_port(running: Stack, name: str) -> None:
    before = running.part(name)
    assert before.pid

    os.kill(before.pid, signal.SIGKILL)

    def is_back() -> bool:
        part = running.part(name)
        return part.restarts == before.restarts + 1 and part.state == "ready"

    eventually(is_back, f"{name} was back")
    assert running.part(name).port == before.port
    assert running.part(name).pid != before.pid
    assert f"{name} ended with -9" in (running.home.logs / "supervisor.log").read_text()


async def test_a_killed_supervisor_leaves_no_orphan_and_can_be_replaced(running: Stack) -> None:
    pid = supervisor_pid(running.home)
    assert pid

    os.kill(pid, signal.SIGKILL)

    eventually(lambda: supervisor_pid(running.home) is None, "the lock was free")
    assert running.state() is None  # though its record is still there
    assert StackState.read(running.home)
    eventually(lambda: not processes_of(running.home.root), "its children had ended")
    running.up(STORAGE)
    assert await execute(running, "SELECT 1") == 1


def test_a_part_that_cannot_start_is_named_with_its_log_and_nothing_stays(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "home", SETTINGS)
    stack.home.kafka.mkdir(parents=True)  # looks formatted, and is not

    with pytest.raises(PartFailedError, match="kafka did not start") as error:
        stack.up(STORAGE)

    assert "meta.properties" in error.value.tail
    assert not stack.is_running
    assert not processes_of(stack.home.root)
    assert not stack.down()


def test_up_does_not_wait_for_mlflow_which_comes_by_itself(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "home", SETTINGS | {"OPENBELL_MLFLOW__PORT": "0"})
    try:
        stack.up(["mlflow"])
        before = stack.part("mlflow").state
        eventually(lambda: stack.part("mlflow").state == "ready", "MLflow was ready")
        url = stack.config()["mlflow"]["tracking_uri"]

        assert before in {"waiting", "starting"}
        assert httpx.get(f"{url}/health").text == "OK"
    finally:
        stack.down()
    assert not processes_of(stack.home.root)


def test_an_interrupted_up_leaves_no_process(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with run_command(home, "up") as command:
        eventually(lambda: len(processes_of(home)) > 1, "parts were starting")
        command.send_signal(signal.SIGINT)
        command.communicate(timeout=PATIENCE_S)

    assert command.returncode == 130
    assert not processes_of(home)


def test_the_command_line_sees_the_stack(running: Stack) -> None:
    home = running.home.root

    def ask(*arguments: str) -> tuple[int, str]:
        with run_command(home, *arguments) as command:
            output, _ = command.communicate(timeout=PATIENCE_S)
        return command.returncode, output

    code, status = ask("status", "--json")
    assert code == 0
    assert '"pss_mb"' in status
    assert ask("up")[1].startswith("already running (2 parts)")
    assert ask("logs", "kafka", "-n", "0") == (0, "")
    assert ask("config", "show", "--json")[0] == 0


def test_parts_of_a_stack_that_is_down_cannot_be_asked_for(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="start it: openbell up"):
        Stack(tmp_path, SETTINGS).part("kafka")


def test_a_part_that_was_not_started_is_said_so(running: Stack) -> None:
    with pytest.raises(StackError, match="expected llm"):
        running.part("llm")


def test_changes_are_reported_until_ready(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "home", SETTINGS)
    seen: list[list[str]] = []

    def watch(state: StackState) -> None:
        seen.append([part.state for part in state.parts])

    try:
        stack.up(["postgres"], watch=watch)
    finally:
        stack.down()

    assert seen[-1] == ["ready"]
