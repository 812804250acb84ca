"""From the bus into the tracker's table: a consumer group of its own, on nobody's path.

Offsets are committed once the events are in the table, so that MLflow may be away for as long as
it likes: nothing waits in memory, and nothing is read twice but what a crash left uncommitted.
"""

import asyncio
from collections.abc import Iterator

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.errors import KafkaError

from services.tracker import store
from services.tracker.history import TOPICS, Kept, kept
from shared.backoff import until_it_works
from shared.db import Sessions
from shared.failures import PoisonError
from shared.kafka import MAX_POLL_INTERVAL_MS, SESSION_TIMEOUT_MS

# Nobody is in a hurry here: few and large batches cost those least who are.
_GATHER_S = 0.5
_MOST_RECORDS = 200
log = structlog.get_logger(__name__)


class Intake:
    """Keeps what the bus says of runs. ``reading``: since when this process is a member."""

    def __init__(self, sessions: Sessions, bootstrap_servers: str, ordinal: str) -> None:
        self._sessions = sessions
        self._servers = bootstrap_servers
        self._ordinal = ordinal
        self.reading = False

    async def keep_reading(self) -> None:
        """Read until cancelled; Kafka or PostgreSQL being away only delays it."""
        while True:
            consumer = AIOKafkaConsumer(
                *(topic.name for topic in TOPICS),
                bootstrap_servers=self._servers.split(","),
                group_id="tracker",
                group_instance_id=f"tracker-{self._ordinal}",
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                session_timeout_ms=SESSION_TIMEOUT_MS,
                heartbeat_interval_ms=1_500,
                max_poll_interval_ms=MAX_POLL_INTERVAL_MS,
                fetch_max_wait_ms=500,
            )
            try:
                await consumer.start()
                self.reading = True
                while True:
                    await self._take(consumer)
                    await asyncio.sleep(_GATHER_S)
            except KafkaError as e:
                log.warning("not reading", why=str(e))
                await asyncio.sleep(1)
            finally:
                await consumer.stop()

    async def _take(self, consumer: AIOKafkaConsumer) -> None:
        batches = await consumer.getmany(timeout_ms=500, max_records=_MOST_RECORDS)
        events = [event for batch in batches.values() for event in readable(batch)]

        async def write() -> None:
            async with self._sessions.begin() as session:
                await store.keep(session, events)

        if events:
            await until_it_works(write)
        if batches:
            await consumer.commit()


def readable(records: "list[ConsumerRecord[bytes, bytes]]") -> Iterator[Kept]:
    """Yield what is kept of these records; the stages bury those that nobody can read."""
    for record in records:
        try:
            yield kept(record)
        except PoisonError as e:
            where = f"{record.topic}/{record.partition}/{record.offset}"
            log.warning("passed over", position=where, code=e.code)
