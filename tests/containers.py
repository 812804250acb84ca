"""Kafka and PostgreSQL in containers: parts of a stack under test that it does not start itself.

Each is reached on one port of the loopback interface, which stays the same over a restart. A
process of its own removes them when the tests end, even by SIGKILL: it waits for the end of a pipe.
"""

import contextlib
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from docker.errors import DockerException
from testcontainers.community.postgres import PostgresContainer
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer
from testcontainers.core.docker_client import DockerClient
from testcontainers.core.labels import LABEL_SESSION_ID, SESSION_ID
from testcontainers.core.wait_strategies import LogMessageWaitStrategy

from deploy.native.kafka import new_cluster_id, write_properties
from deploy.native.kafka_jars import read_lock
from deploy.native.ports import LOOPBACK, Ports
from deploy.native.wiring import DATABASE_SETTING, KAFKA_SETTING
from tests.running import ROOT

_POSTGRES_IMAGE = "postgres:18"
_POSTGRES_PORT = 5432
_CLUSTER = "--encoding=UTF8 --locale=C.UTF-8 --locale-provider=builtin"
_KAFKA_DATA = Path("/tmp/kraft-combined-logs")
_PATIENCE_S = 5

# The process below does its work, without one more image and without the engine's socket in it.
testcontainers_config.ryuk_disabled = True


@dataclass(frozen=True)
class Container:
    """A part of a stack, in a container that runs."""

    setting: str
    address: str
    inside: DockerContainer

    def kill(self) -> None:
        """SIGKILL it and start it again, as the supervisor does with a process."""
        container = self.inside.get_wrapped_container()
        container.kill()
        container.wait()
        container.start()

    def freeze(self) -> None:
        self.inside.get_wrapped_container().pause()

    def thaw(self) -> None:
        self.inside.get_wrapped_container().unpause()


def require_engine() -> None:
    """Raise UsageError, with one line, where no Docker engine answers."""
    try:
        DockerClient(timeout=_PATIENCE_S).client.close()
    except DockerException as e:
        msg = (
            f"--stack=docker: expected a Docker engine that answers, found: {e}; "
            "start one or let DOCKER_HOST name it, or leave the option out"
        )
        raise pytest.UsageError(msg) from None


@contextlib.contextmanager
def storage() -> Iterator[dict[str, Container]]:
    """Run Kafka and PostgreSQL for the block, by the name of the part that each stands for."""
    with _removed_in_the_end():
        try:
            ports = Ports()
            kafka, postgres = _kafka(ports), _postgres(ports)
            # Kafka needs longer: PostgreSQL gets ready meanwhile.
            kafka.inside.start()
            postgres.inside.start()
            LogMessageWaitStrategy("Kafka Server started").wait_until_ready(kafka.inside)
        except DockerException as e:
            pytest.exit(f"--stack=docker: expected containers to start, found: {e}", 1)
        yield {"kafka": kafka, "postgres": postgres}


def _kafka(ports: Ports) -> Container:
    version = next(jar.version for jar in read_lock() if jar.artifact.startswith("kafka_"))
    port, controller = ports.any_free(), ports.any_free()
    settings = _kafka_settings(port, controller)
    container = DockerContainer(f"apache/kafka:{version}", env=settings)
    # The same port inside, so that the address that Kafka tells its clients holds on both sides.
    _publish(container, port, port)
    return Container(KAFKA_SETTING, f"{LOOPBACK}:{port}", container)


def _kafka_settings(port: int, controller: int) -> dict[str, str]:
    """Return the settings of the native broker in the form that the image reads."""
    with tempfile.TemporaryDirectory() as scratch:
        written = write_properties(Path(scratch) / "properties", _KAFKA_DATA, port, controller)
        lines = written.read_text(encoding="utf-8").splitlines()
    pairs = (line.split("=", 1) for line in lines if not line.startswith("#"))
    settings = {f"KAFKA_{key.replace('.', '_').upper()}": value for key, value in pairs}
    # The engine hands connections to the container's own address, not to its loopback.
    listeners = f"PLAINTEXT://0.0.0.0:{port},CONTROLLER://{LOOPBACK}:{controller}"
    return settings | {"KAFKA_LISTENERS": listeners, "CLUSTER_ID": new_cluster_id()}


def _postgres(ports: Ports) -> Container:
    port, password = ports.any_free(), secrets.token_urlsafe()
    container = PostgresContainer(_POSTGRES_IMAGE, _POSTGRES_PORT, "openbell", password, "openbell")
    container.with_env("POSTGRES_INITDB_ARGS", _CLUSTER)
    _publish(container, _POSTGRES_PORT, port)
    url = f"postgresql://openbell:{password}@{LOOPBACK}:{port}/openbell"
    return Container(DATABASE_SETTING, url, container)


def _publish(container: DockerContainer, inside: int, outside: int) -> None:
    # testcontainers itself would open it to the network; what is below takes an address, too.
    ports: dict[str, Any] = container.ports
    ports[str(inside)] = (LOOPBACK, outside)


@contextlib.contextmanager
def _removed_in_the_end() -> Iterator[None]:
    command = [sys.executable, "-m", "tests.containers"]
    # A session of its own, so that Ctrl-C does not reach it.
    with subprocess.Popen(
        [*command, SESSION_ID], stdin=subprocess.PIPE, cwd=ROOT, start_new_session=True
    ) as remover:
        yield
    if remover.returncode:
        raise subprocess.CalledProcessError(remover.returncode, command)


def _remove_when_orphaned(session: str) -> None:
    """Remove the containers of a session, and their volumes, once its end of the pipe is closed."""
    sys.stdin.read()
    client = DockerClient().client
    label = f"{LABEL_SESSION_ID}={session}"
    for container in client.containers.list(all=True, filters={"label": label}):
        container.remove(force=True, v=True)
    client.close()


if __name__ == "__main__":
    _remove_when_orphaned(sys.argv[1])
