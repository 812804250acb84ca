"""docker-compose.yml for real: built, brought up, asked for runs, scaled, and up again."""

import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from dotenv import dotenv_values

from cli.init import complete
from deploy.native.ports import Ports
from tests.running import ROOT, until

pytestmark = pytest.mark.timeout(1_800)
_BUILD_S, _UP_S = 1_200, 300
# Builds go through the host's network where a closed one needs that: set it to "host".
_NETWORK = os.environ.get("OPENBELL_TEST_BUILD_NETWORK", "default")


class Compose:
    """A project of its own, with secrets and a port of its own."""

    def __init__(self, folder: Path) -> None:
        self.env_file = folder / "env"
        complete(self.env_file)
        self.port = Ports().any_free()
        with self.env_file.open("a") as file:
            file.write(f"API_PORT={self.port}\nMARKET_TIME_START=2023-06-05T10:00:00-04:00\n")
        self.project = f"openbell-{uuid.uuid4().hex[:8]}"
        plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
        self.command = ["docker-compose"] if plugin.returncode else ["docker", "compose"]

    def run(self, *words: str) -> str:
        named = ("--env-file", str(self.env_file), "-p", self.project)
        return docker(*self.command, *named, *words, limit_s=_UP_S)

    def http(self) -> httpx.Client:
        token = dotenv_values(self.env_file)["API_TOKEN"]
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", headers=headers, timeout=30)

    def finished(self, strategy_id: int) -> dict[str, Any]:
        """Ask for a run over REST; return it at its end."""
        with self.http() as http:
            run_id = http.post("/runs", json={"strategy_id": strategy_id}).json()["run_id"]

            def look() -> dict[str, Any] | None:
                run: dict[str, Any] = http.get(f"/runs/{run_id}").json()
                return run if run["status"] != "running" else None

            run: dict[str, Any] = until(look, f"the end of {run_id}", 180)
            return run


def docker(*words: str, limit_s: float = 60) -> str:
    done = subprocess.run(
        words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=limit_s
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def compose(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    made = Compose(tmp_path_factory.mktemp("compose"))
    for service, dockerfile in _images():
        words = ["docker", "build", "--network", _NETWORK, "-f", dockerfile]
        words += ["--build-arg", f"SERVICE={service}", "-t", f"openbell/{service}", "."]
        docker(*words, limit_s=_BUILD_S)
    try:
        made.run("up", "-d", "--no-build")
        yield made
    finally:
        made.run("down", "-v", "-t", "30")


def _images() -> Iterator[tuple[str, str]]:
    for path in (ROOT / "services").glob("*/main.py"):
        yield path.parent.name, "Dockerfile"
    yield "llm", "deploy/docker/llm.Dockerfile"


def test_a_run_of_rules_and_one_of_the_model_end(compose: Compose) -> None:
    rules, model = compose.finished(2), compose.finished(1)

    assert rules["status"] == model["status"] == "succeeded", (rules, model)


def test_three_members_share_the_work_of_signals(compose: Compose) -> None:
    compose.run("up", "-d", "--no-build", "--no-recreate", "--scale", "signals=3")

    def look() -> bool | None:
        ids = compose.run("ps", "-q", "signals").split()
        states = [c["State"] for c in json.loads(docker("docker", "inspect", *ids))]
        return True if [s["Health"]["Status"] for s in states] == ["healthy"] * 3 else None

    until(look, "three healthy members of signals", 120)
    assert {compose.finished(2)["status"] for _ in range(3)} == {"succeeded"}


def test_down_and_up_keep_the_data(compose: Compose) -> None:
    with compose.http() as http:
        before = {run["run_id"] for run in http.get("/runs").json()}

        def look() -> set[str] | None:
            try:
                return {run["run_id"] for run in http.get("/runs").json()}
            except (httpx.TransportError, ValueError):
                return None

        compose.run("down", "-t", "30")
        compose.run("up", "-d", "--no-build")

        assert until(look, "the api", 120) == before
    assert compose.finished(2)["status"] == "succeeded"
