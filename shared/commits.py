"""Commits of offsets, behind the work: the newest of each partition, one request at a time.

A late or lost commit costs nothing but a message that comes again, which its record answers.
"""

import asyncio

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from faststream.kafka import KafkaMessage

from shared.kafka import raw

log = structlog.get_logger(__name__)


class Commits:
    """The offsets of one consumer that handles its messages one at a time."""

    def __init__(self) -> None:
        self._newest: dict[TopicPartition, int] = {}
        self._task: asyncio.Task[None] | None = None

    def done(self, message: KafkaMessage) -> None:
        """Say that a message, and so every one before it on its partition, is done."""
        record = raw(message)
        self._newest[TopicPartition(record.topic, record.partition)] = record.offset + 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._commit(message), name="commit offsets")

    async def settle(self) -> None:
        """Return when nothing is left to commit."""
        if self._task is not None:
            await self._task

    async def _commit(self, message: KafkaMessage) -> None:
        while self._newest:
            positions, self._newest = self._newest, {}
            try:
                # FastStream's protocol leaves the argument out; without it everything is committed.
                await message.consumer.commit(positions)  # type: ignore[call-arg]
            except KafkaError as e:
                log.warning("offsets not committed", positions=str(positions), why=str(e))
