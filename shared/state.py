"""Folding of the state topics: the newest entry per key, read without a group.

A reader that has not reached the end knows nothing, and says so: ``current`` raises
``StateUnknownError``, which callers treat as halted, closed and down; a stage retries on it.
So it does for a key whose newest entry is unreadable: what it was meant to say may be a halt.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from shared.envelope import decode
from shared.events.base import Event
from shared.failures import PoisonError, StateUnknownError, UnreadableEntryError
from shared.topics import Topic

E = TypeVar("E", bound=Event)
_AGAIN_S = 0.5
log = structlog.get_logger(__name__)


class StateReader(Generic[E]):
    """The state of one compacted topic, kept up to date until stopped."""

    def __init__(self, topic: Topic[E], bootstrap_servers: str) -> None:
        self._topic = topic
        self._partition = TopicPartition(topic.name, 0)
        self._servers = bootstrap_servers.split(",")
        self._entries: dict[str, E] = {}
        self._unreadable: dict[str, str] = {}
        self._position = 0
        self._caught_up = asyncio.Event()
        self._changed = asyncio.Event()
        # Asks for ends on a connection of its own: on the reader's, the question would wait for
        # the fetch that is under way there.
        self._asker: AIOKafkaConsumer | None = None

    @property
    def ready(self) -> bool:
        """Whether the end was reached once."""
        return self._caught_up.is_set()

    def current(self, key: str) -> E | None:
        """Return the newest entry, or None where there is none. Raises StateUnknownError."""
        if not self.ready:
            msg = f"{self._topic.name} is not read to its end yet"
            raise StateUnknownError(msg)
        if (why := self._unreadable.get(key)) is not None:
            msg = f"{self._topic.name}: the newest entry of {key} is unreadable: {why}"
            raise UnreadableEntryError(msg)
        return self._entries.get(key)

    def entries(self) -> dict[str, E]:
        """Return all newest entries. Raises StateUnknownError."""
        self.current("")
        return dict(self._entries)

    async def changed(self) -> None:
        """Return at the next change of any entry."""
        self._changed.clear()
        await self._changed.wait()

    async def fold_up_to_now(self, limit_s: float = 0.2) -> None:
        """Ask Kafka for the end and fold up to it. Raises StateUnknownError after ``limit_s``."""
        try:
            async with asyncio.timeout(limit_s):
                await self._caught_up.wait()
                if self._asker is None:
                    msg = f"{self._topic.name} is not being read"
                    raise StateUnknownError(msg)
                end = (await self._asker.end_offsets([self._partition]))[self._partition]
                while self._position < end:
                    await self.changed()
        except (TimeoutError, KafkaError) as e:
            msg = f"{self._topic.name}: its end was not reached within {limit_s} s"
            raise StateUnknownError(msg) from e

    @contextlib.asynccontextmanager
    async def reading(self) -> AsyncIterator[None]:
        """Read in the background until the end of the block."""
        task = asyncio.create_task(self._read_for_ever(), name=f"state {self._topic.name}")
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _read_for_ever(self) -> None:
        while True:
            reader = AIOKafkaConsumer(bootstrap_servers=self._servers, enable_auto_commit=False)
            asker = AIOKafkaConsumer(bootstrap_servers=self._servers, enable_auto_commit=False)
            try:
                await reader.start()
                await asker.start()
                self._asker = asker
                await self._read(reader)
            except Exception as e:
                if not isinstance(e, KafkaError):
                    # A bug of ours must not pass for a state that never changes.
                    self._caught_up.clear()
                    log.exception("state topic not folded", topic=self._topic.name)
                log.warning("state topic not readable", topic=self._topic.name, why=str(e))
                await asyncio.sleep(_AGAIN_S)
            finally:
                self._asker = None
                await reader.stop()
                await asker.stop()

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        consumer.assign([self._partition])
        consumer.seek(self._partition, self._position)
        end = (await consumer.end_offsets([self._partition]))[self._partition]
        if self._position >= end:
            self._caught_up.set()
        while True:
            batches = await consumer.getmany(timeout_ms=200)
            for record in batches.get(self._partition, []):
                self._fold(record)
            # Compaction may leave nothing to hand over before the end: ask for the position.
            self._position = max(self._position, await consumer.position(self._partition))
            if self._position >= end:
                self._caught_up.set()
            if batches:
                self._changed.set()

    def _fold(self, record: "ConsumerRecord[bytes, bytes]") -> None:
        self._position = record.offset + 1
        key = (record.key or b"").decode("utf-8", "backslashreplace")
        self._unreadable.pop(key, None)
        if record.value is None:
            self._entries.pop(key, None)
            return
        try:
            event = decode(record, self._topic.event).event
        except PoisonError as e:
            log.error("state entry unreadable", topic=self._topic.name, key=key, why=e.reason)  # noqa: TRY400
            self._unreadable[key] = e.reason
            return
        if key != event.key():
            # Compaction goes by the key, and drops what was said under it before.
            self._unreadable[key] = f"expected the key {event.key()} of what it says, found {key}"
        self._unreadable.pop(event.key(), None)
        self._entries[event.key()] = event
