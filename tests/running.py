"""A stack under test, seen from outside: REST, Kafka, PostgreSQL, and its processes' ids."""

import asyncio
import contextlib
import itertools
import json
import os
import shutil
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.structs import ConsumerRecord

from deploy.native.stack import Stack
from deploy.native.wiring import DATABASE_SETTING
from shared.lenient_records import read_any_header_name
from shared.topics import BY_NAME
from tests.victims import Elsewhere, Process, Victim

ROOT = Path(__file__).parents[1]
ALONE = {
    "OPENBELL_API__PORT": "0",
    "OPENBELL_KAFKA__PORT": "0",
    "OPENBELL_MLFLOW__PORT": "0",
}
STAGES = ("api", "clock", "gateway", "marketdata", "signals", "execution")
# Strategies alike but for their number: each has a dry-run account that nobody else uses.
_NUMBERS = itertools.count(101)
_MOST = 80
# Above what Kafka takes: it is Kafka that must say no.
_MAX_BYTES = 2_000_000

read_any_header_name()


def strategies_for_tests(folder: Path) -> None:
    """Write the shipped strategies and ``_MOST`` copies of the rules."""
    shutil.copytree(ROOT / "strategies", folder)
    rules = (ROOT / "strategies" / "rules-only.yaml").read_text()
    for number in range(101, 101 + _MOST):
        text = rules.replace("id: 2", f"id: {number}").replace("rules-only", f"rules-{number}")
        (folder / f"rules-{number}.yaml").write_text(text)


def fresh_strategy() -> int:
    """Return a strategy of rules whose account is untouched."""
    return next(_NUMBERS)


class Running:
    """A stack and its outside."""

    def __init__(
        self, home: Path, env: Mapping[str, str], elsewhere: Mapping[str, Elsewhere]
    ) -> None:
        addresses = {part.setting: part.address for part in elsewhere.values()}
        self.stack = Stack(home, ALONE | addresses | dict(env))
        self._elsewhere = elsewhere

    def up(self) -> None:
        self.stack.up()
        config = self.stack.config()
        self.api_url: str = config["api"]["url"]
        self.kafka: str = config["kafka"]["bootstrap_servers"]
        # Not from the configuration, which is without the password.
        self.database = self.stack.env_for("migrate")[DATABASE_SETTING]
        self.simulator: str = config["ibkr"]["simulator_url"]
        self.token = Path(config["api"]["token_file"]).read_text().strip()

    def down(self) -> None:
        self.stack.down()

    def cli_env(self) -> dict[str, str]:
        """Return the environment of a command that means this stack."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith("OPENBELL_")}
        return kept | {"OPENBELL_HOME": str(self.stack.home.root), "PYTHONPATH": str(ROOT)}

    def pid(self, part: str) -> int:
        """Return the process id of a part, once it has one."""
        found: int = until(lambda: self.stack.part(part).pid or None, f"a process of {part}")
        return found

    def victim(self, part: str) -> Victim:
        """Return a part, wherever it runs, to be disturbed."""
        return self._elsewhere.get(part) or Process(self.pid(part))

    def kill(self, part: str) -> None:
        """SIGKILL a part; it is started again."""
        self.victim(part).kill()

    def http(self) -> httpx.Client:
        """Return a client of the api that shows its token."""
        headers = {"Authorization": f"Bearer {self.token}"}
        return httpx.Client(base_url=self.api_url, headers=headers, timeout=30)

    def trigger(self, **fields: Any) -> str:
        """Ask for a run over REST; return its id."""
        with self.http() as http:
            answer = http.post("/runs", json=fields)
            assert answer.status_code == 202, answer.text
            run_id: str = answer.json()["run_id"]
            return run_id

    def run(self, run_id: str) -> dict[str, Any]:
        """Return a run as REST shows it."""
        with self.http() as http:
            answer = http.get(f"/runs/{run_id}")
            answer.raise_for_status()
            found: dict[str, Any] = answer.json()
            return found

    def finished(self, run_id: str, limit_s: float = 45) -> dict[str, Any]:
        """Wait for the end of a run; return it."""

        def look() -> dict[str, Any] | None:
            with contextlib.suppress(httpx.HTTPError):
                run = self.run(run_id)
                return run if run["status"] != "running" else None
            return None

        run: dict[str, Any] = until(look, f"the end of run {run_id}", limit_s)
        return run

    def events(self, run_id: str) -> list[dict[str, Any]]:
        """Return the ledger of a run, once it holds the end and an outcome of every symbol."""

        def look() -> list[dict[str, Any]] | None:
            with self.http() as http:
                answer = http.get(f"/runs/{run_id}/events")
            rows: list[dict[str, Any]] = answer.json() if answer.status_code == 200 else []
            ends = [row["body"] for row in rows if row["type"] == "run.finished"]
            closed = sum(row["type"] in {"order.changed", "step.failed"} for row in rows)
            return rows if ends and closed >= len(ends[0]["symbols"]) else None

        rows: list[dict[str, Any]] = until(look, f"run.finished of {run_id} in the ledger")
        return rows

    async def publish(
        self, topic: str, value: bytes, *, compression: str | None = None, **options: Any
    ) -> str:
        """Write a record as any Kafka client would; return its place, topic/partition/offset."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.kafka,
            max_request_size=_MAX_BYTES,
            compression_type=compression,
        )
        await producer.start()
        try:
            sent = await producer.send_and_wait(topic, value, **options)
            return f"{sent.topic}/{sent.partition}/{sent.offset}"
        finally:
            await producer.stop()

    async def records(self, topic: str) -> list[ConsumerRecord]:
        """Return all records of a topic as of now."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka, enable_auto_commit=False)
        await consumer.start()
        try:
            partitions = [TopicPartition(topic, p) for p in range(BY_NAME[topic].partitions)]
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            ends = await consumer.end_offsets(partitions)
            found: list[ConsumerRecord] = []
            while any([await consumer.position(p) < ends[p] for p in partitions]):
                for batch in (await consumer.getmany(timeout_ms=200)).values():
                    found += batch
            return found
        finally:
            await consumer.stop()

    @contextlib.asynccontextmanager
    async def db(self) -> AsyncIterator[asyncpg.Connection]:
        """Connect to the stack's PostgreSQL."""
        connection = await asyncpg.connect(self.database)
        try:
            yield connection
        finally:
            await connection.close()

    @contextlib.contextmanager
    def fault(self, **fault: Any) -> Iterator[None]:
        """Put one fault into the simulator for the block."""
        url = f"{self.simulator}/__sim__/faults"
        httpx.put(url, json={"faults": [fault]}).raise_for_status()
        try:
            yield
        finally:
            httpx.delete(url).raise_for_status()

    @contextlib.contextmanager
    def frozen(self, part: str) -> Iterator[None]:
        """Freeze a part for the block."""
        victim = self.victim(part)
        victim.freeze()
        try:
            yield
        finally:
            victim.thaw()


def until(look: Callable[[], Any], what: str, limit_s: float = 45) -> Any:
    """Return the first answer that is not None, or fail naming what was waited for."""
    end = time.monotonic() + limit_s
    while time.monotonic() < end:
        if (found := look()) is not None:
            return found
        time.sleep(0.05)
    msg = f"{what} did not come within {limit_s} s"
    raise AssertionError(msg)


async def until_async(look: Callable[[], Any], what: str, limit_s: float = 45) -> Any:
    """Do the same for a coroutine function."""
    async with asyncio.timeout(limit_s):
        while (found := await look()) is None:  # noqa: ASYNC110  # the world has no event for it
            await asyncio.sleep(0.02)
        return found
    raise AssertionError(what)


def new_run_id() -> str:
    return f"t-{uuid.uuid4().hex[:12]}"


def body_of(record: ConsumerRecord) -> dict[str, Any]:
    """Return a record's JSON object; empty where it is none, as of messages that are poison."""
    try:
        found = json.loads(record.value or b"")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def of_run(records: list[ConsumerRecord], run_id: str) -> list[ConsumerRecord]:
    """Return the records of one run."""
    return [r for r in records if body_of(r).get("run_id") == run_id]
