"""Every command that the documentation shows does what it says, as it stands."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.running import ALONE, ROOT, Running, fresh_strategy

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
# What is run here with a stack of its own, as people run it one after the other.
LIFE = ("make demo", "./openbell demo", "./openbell up", "./openbell down")
# The long ones, shortened; the test command itself is what runs this.
SHORTENED = {
    "make test": "make --dry-run test",
    "./openbell test": "./openbell test --version",
    "make bench": "make bench ARGS='--runs 5 --rate 5'",
    "make bench ARGS=--path-only": "make bench ARGS='--path-only --runs 5 --rate 5'",
    "make faults": "make faults ARGS=--collect-only",
}

# What a make that runs the tests hands down to those that it runs.
OF_MAKE = {"ARGS", "MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "MFLAGS"}

pytestmark = pytest.mark.timeout(180)


def documented() -> Iterator[str]:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
            yield from block.splitlines()
        yield from re.findall(r"`((?:\./openbell|make) [^`]+)`", text)


COMMANDS = list(dict.fromkeys(documented()))


def run(command: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        ["bash", "-c", command],
        env={name: value for name, value in env.items() if name not in OF_MAKE},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=170,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="module")
def run_id(running: Running) -> Iterator[str]:
    """A finished run, to stand for RUN. What was halted is resumed in the end."""
    found = running.trigger(strategy_id=fresh_strategy())
    running.finished(found)
    running.events(found)
    yield found
    for scope in ("deployment", "strategy:2"):
        run(f"./openbell resume --yes --scope {scope}", running.cli_env())


@pytest.mark.parametrize("command", [c for c in COMMANDS if not c.startswith(LIFE)])
def test_a_documented_command_works_as_it_stands(
    running: Running, run_id: str, command: str
) -> None:
    words = re.sub(r"\bRUN\b", run_id, SHORTENED.get(command, command))
    words = words.replace("http://127.0.0.1:8000", running.api_url)
    words = words.replace(".openbell/token", str(running.stack.home.token))

    done = run(words, running.cli_env())

    assert done.stdout.strip()


@pytest.fixture
def env_of_a_newcomer() -> Iterator[dict[str, str]]:
    """The environment of who has nothing yet: a home that does not exist, and other ports."""
    folder = Path(tempfile.mkdtemp(prefix="openbell-"))
    folder.chmod(0o755)
    kept = {k: v for k, v in os.environ.items() if not k.startswith("OPENBELL_")}
    env = kept | ALONE | {"OPENBELL_HOME": str(folder / "home")}
    yield env
    subprocess.run(["./openbell", "down"], env=env, cwd=ROOT, check=True, capture_output=True)
    shutil.rmtree(folder)


def test_the_two_commands_of_a_newcomer_and_the_life_of_a_stack(
    env_of_a_newcomer: dict[str, str],
) -> None:
    first = run("make demo", env_of_a_newcomer).stdout
    again = run("./openbell demo", env_of_a_newcomer).stdout
    processes = run("./openbell status --json", env_of_a_newcomer).stdout
    run("./openbell down", env_of_a_newcomer)
    run("./openbell up --scale signals=3", env_of_a_newcomer)
    scaled = run("./openbell status --json", env_of_a_newcomer).stdout
    kept = run("./openbell runs --json", env_of_a_newcomer).stdout
    run("./openbell up", env_of_a_newcomer)

    assert "waiting for the bell at Mon 2023-06-05 09:30:00 New York" in first
    assert "simulated order: TSLA, NVDA. No order was sent to any broker." in first
    assert first.count("decision hash  ") == 2
    assert "shows the plumbing and is no adviser" in first
    assert "no waiting for the bell" in again
    assert "MLflow: each run and symbol" in first
    assert waited_for(processes) == ["ready"] * 11
    assert scaled.count('"name": "signals"') == 3
    assert kept.count('"run_id": "demo-') == 4


def waited_for(status: str) -> list[str]:
    """The states of all processes but MLflow, which starts after them."""
    rows = json.loads(status)["processes"]
    return [row["state"] for row in rows if row["name"] != "mlflow"]


def test_the_life_of_a_stack_is_all_that_was_left_out() -> None:
    lived = {"make demo", "./openbell demo", "./openbell down", "./openbell up"}
    lived.add("./openbell up --scale signals=3")

    assert {c for c in COMMANDS if c.startswith(LIFE)} <= lived
