"""The containers of the tests themselves."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import asyncpg
import pytest
from testcontainers.core.docker_client import DockerClient

from deploy.native.health import kafka_answers
from tests.containers import Container
from tests.running import ROOT, until, until_async

_HOLDING = """\
import time
from tests.containers import storage
with storage() as containers:
    print(*(c.inside.get_container_id() for c in containers.values()), flush=True)
    time.sleep(60)
"""


@pytest.fixture
def engine() -> Iterator[Any]:
    with contextlib.closing(DockerClient().client) as client:
        yield client


async def answers(container: Container) -> bool | None:
    if container.address.startswith("postgresql:"):
        with contextlib.suppress(OSError, asyncpg.PostgresError):
            await (await asyncpg.connect(container.address)).close()
            return True
        return None
    return await kafka_answers(int(container.address.rpartition(":")[2]))() or None


@pytest.mark.parametrize("part", ["kafka", "postgres"])
async def test_killed_it_comes_back_at_the_same_address(
    elsewhere: Mapping[str, Container], engine: Any, part: str
) -> None:
    container = elsewhere[part]
    identity = container.inside.get_container_id()
    began = engine.containers.get(identity).attrs["State"]["StartedAt"]

    container.kill()

    await until_async(lambda: answers(container), f"{part} at {container.address}")
    assert engine.containers.get(identity).attrs["State"]["StartedAt"] > began


def test_no_other_machine_reaches_them(elsewhere: Mapping[str, Container], engine: Any) -> None:
    for container in elsewhere.values():
        ports = engine.containers.get(container.inside.get_container_id()).ports
        hosts = [binding["HostIp"] for bindings in ports.values() for binding in bindings or ()]
        assert hosts == ["127.0.0.1"]


def test_they_go_with_their_volumes_when_the_tests_are_killed(engine: Any) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLDING], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as held:
        assert held.stdout
        names = held.stdout.readline().split()
        mounts = [m for n in names for m in engine.containers.get(n).attrs["Mounts"]]
        held.kill()

    def look() -> bool | None:
        left = {c.id for c in engine.containers.list(all=True, ignore_removed=True)} & set(names)
        return None if left else True

    assert len(names) == 2
    until(look, "the end of the containers")
    assert mounts
    assert not {m["Name"] for m in mounts} & {v.name for v in engine.volumes.list()}
