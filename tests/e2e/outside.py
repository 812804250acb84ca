"""How a user reaches the stack under test: the command line, and what the bus answers."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

from aiokafka.structs import ConsumerRecord

from tests.running import ROOT, Running, body_of, until_async

Body = dict[str, Any]


def cli(running: Running, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run a command of ``openbell`` on this stack."""
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *words],
        env=running.cli_env(),
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        check=False,
        timeout=50,
    )


async def answer_on(running: Running, topic: str, is_it: Callable[[Body], bool]) -> Body:
    """Return the first event on a topic that is the one, once it is there."""

    async def look() -> Body | None:
        found = (body_of(record) for record in await running.records(topic))
        return next((body for body in found if body and is_it(body)), None)

    event: Body = await until_async(look, f"the answer on {topic}")
    return event


async def letter_about(running: Running, place: str) -> Body:
    """Return the dead letter of a record, known by its ``topic/partition/offset``."""
    return await answer_on(running, "dead.letter", lambda letter: place_of(letter) == place)


def place_of(letter: Body) -> str:
    return f"{letter['topic']}/{letter['partition']}/{letter['offset']}"


async def run_asked_at(running: Running, place: str) -> str:
    """Return the id of the run that a request at this place led to."""
    accepted = await answer_on(running, "run.accepted", lambda run: run["source"] == place)
    run_id: str = accepted["run_id"]
    return run_id


async def record_at(running: Running, place: str) -> ConsumerRecord:
    """Return the record at ``topic/partition/offset``."""
    topic, partition, offset = place.split("/")
    where = (int(partition), int(offset))
    records = await running.records(topic)
    return next(r for r in records if (r.partition, r.offset) == where)
