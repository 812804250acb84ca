"""The one order of work: consume, do, record once, publish what is recorded, commit.

A crash or a rebalance anywhere may do repeatable work twice, but its result exists once, and only
that is ever published. Readers ignore ids that they know.
"""

import asyncio
import contextlib
import signal
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError
from faststream.kafka import KafkaBroker, KafkaMessage
from sqlalchemy.ext.asyncio import AsyncSession

from shared.backoff import retry_ours
from shared.concurrent import concurrently, rebalance_listener
from shared.db import Sessions
from shared.envelope import Cause, Message, dead_letter, decode, encode
from shared.events.base import Event, RunEvent
from shared.events.run import StepFailed
from shared.failures import PoisonError, StepFailedError, is_ours
from shared.kafka import publish, raw, subscribe
from shared.market_time import MarketClock, wall_now
from shared.recorded import Recorded
from shared.topics import Topic

E = TypeVar("E", bound=Event)
Results = Sequence[Event]
Work = Callable[[Cause[E], str], Awaitable[Results]]
Transact = Callable[[Cause[E], AsyncSession], Awaitable[Results]]
_Do = Callable[[Cause[Any], str, AsyncSession | None], Awaitable[Results]]

WHOLE = ""
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Stage:
    """A service's place on the bus. Its handlers return events; all else happens here.

    With ``concurrency`` above 1 that many messages are worked on at once, and the lowest
    contiguous offset is committed, so that a slow message delays no other.
    """

    service: str
    broker: KafkaBroker
    sessions: Sessions
    recorded: Recorded
    clock: MarketClock
    ordinal: int = 0
    concurrency: int = 1

    def stamp(self) -> dict[str, Any]:
        """Return the two times of an event made now."""
        return {"occurred_at": wall_now(), "market_time": self.clock.now()}

    def on(
        self,
        topic: Topic[E],
        *,
        step: str,
        each: Callable[[E], Iterable[str]] | None = None,
    ) -> Callable[[Work[E]], Work[E]]:
        """Register repeatable work on a topic, done outside any transaction.

        ``each`` fans a message out into slots (symbols), which run side by side and are recorded
        and published one by one.
        """

        def register(work: Work[E]) -> Work[E]:
            async def do(cause: Cause[Any], slot: str, _: AsyncSession | None) -> Results:
                return await work(cause, slot)

            _Subscription(self, topic, step, do, each, transactional=False).start()
            return work

        return register

    def on_transaction(self, topic: Topic[E], *, step: str) -> Callable[[Transact[E]], Transact[E]]:
        """Register work that changes tables: it and its record are one transaction.

        The handler must not commit, and must not talk to anything but the session.
        """

        def register(transact: Transact[E]) -> Transact[E]:
            async def do(cause: Cause[Any], _: str, session: AsyncSession | None) -> Results:
                assert session is not None  # noqa: S101  # given by _Subscription below
                return await transact(cause, session)

            _Subscription(self, topic, step, do, None, transactional=True).start()
            return transact

        return register

    async def publish_recorded(self, messages: Sequence[Message]) -> None:
        """Publish recorded messages in their order and wait for all acks."""
        for message in messages:
            await publish(self.broker, message)

    def encode(self, events: Results, traceparent: str | None = None) -> list[Message]:
        """Return the messages of events as this service publishes them."""
        return [encode(e, source=self.service, traceparent=traceparent) for e in events]


@dataclass(frozen=True)
class _Subscription:
    """One topic of one stage."""

    stage: Stage
    topic: Topic[Any]
    step: str
    do: _Do
    each: Callable[[Any], Iterable[str]] | None
    transactional: bool

    def start(self) -> None:
        stage = self.stage
        subscriber = subscribe(
            stage.broker,
            self.topic,
            group=f"{stage.service}.{self.topic.name}",
            ordinal=stage.ordinal,
            listener=rebalance_listener(stage.broker) if stage.concurrency > 1 else None,
        )

        async def consume(message: KafkaMessage) -> None:
            try:
                await self._handle(message)
            except Exception:
                log.exception("a message can be neither handled nor buried: stopping")
                await _stop_uncommitted()
            if stage.concurrency == 1:
                await commit(message)

        subscriber(consume)

    async def _handle(self, message: KafkaMessage) -> None:
        record = raw(message)
        try:
            cause = decode(record, self.topic.event)
        except PoisonError as e:
            await self._bury(message, e)
            return
        with structlog.contextvars.bound_contextvars(
            run_id=getattr(cause.event, "run_id", None), cause=cause.source
        ):
            slots = list(self.each(cause.event)) if self.each else [WHOLE]
            await asyncio.gather(*(self._slot(message, cause, slot) for slot in slots))

    async def _slot(self, message: KafkaMessage, cause: Cause[Any], slot: str) -> None:
        async for attempt in retry_ours():
            with attempt:
                try:
                    await self._once(cause, slot)
                except PoisonError as e:
                    await self._bury(message, e, cause, slot)
                except Exception as e:
                    if is_ours(e):
                        raise
                    # A bug of ours must stop neither the others nor this service.
                    log.exception("handler failed", slot=slot)
                    found = f"{type(e).__name__}: {e}"
                    await self._bury(message, PoisonError("internal_error", found), cause, slot)

    async def _once(self, cause: Cause[Any], slot: str) -> None:
        """Do, record once, publish what is recorded."""
        async with self.stage.sessions.begin() as session:
            messages = await self.stage.recorded.find(session, cause.input_id, slot)
        if messages is None and self.transactional:
            messages = await self._transact(cause, slot)
        elif messages is None:
            messages = await self._record(cause, slot, await self._events(cause, slot, None))
        await self.stage.publish_recorded(messages)

    async def _transact(self, cause: Cause[Any], slot: str) -> list[Message]:
        try:
            async with self.stage.sessions.begin() as session:
                events = await self._events(cause, slot, session)
                messages = self.stage.encode(events, cause.headers.get("traceparent"))
                if not await self.stage.recorded.add(session, cause.input_id, slot, messages):
                    raise _LostTheRace  # noqa: TRY301  # rolls the transaction back
                return messages
        except _LostTheRace:
            return await self._winner(cause, slot)

    async def _record(self, cause: Cause[Any], slot: str, events: Results) -> list[Message]:
        messages = self.stage.encode(events, cause.headers.get("traceparent"))
        async with self.stage.sessions.begin() as session:
            if await self.stage.recorded.add(session, cause.input_id, slot, messages):
                return messages
        return await self._winner(cause, slot)

    async def _winner(self, cause: Cause[Any], slot: str) -> list[Message]:
        async with self.stage.sessions.begin() as session:
            found = await self.stage.recorded.find(session, cause.input_id, slot)
        assert found is not None  # noqa: S101  # a conflict means that the row is there
        return found

    async def _events(self, cause: Cause[Any], slot: str, session: AsyncSession | None) -> Results:
        """Do the work; a failed step is a result like any other."""
        try:
            self._refuse_expired(cause.event)
            return await self.do(cause, slot, session)
        except StepFailedError as e:
            if not isinstance(cause.event, RunEvent):
                raise
            log.warning("step failed", step=self.step, code=e.code, reason=e.reason, slot=slot)
            return [self._step_failed(cause.event, slot, e)]

    def _refuse_expired(self, event: Event) -> None:
        expires_at = getattr(event, "expires_at", None)
        if expires_at is not None and self.stage.clock.now() >= expires_at:
            reason = f"the run expired at {expires_at.isoformat()} market time"
            raise StepFailedError("expired", reason, attempts=0)

    def _step_failed(self, event: RunEvent, slot: str, why: StepFailedError) -> StepFailed:
        return StepFailed(
            **self.stage.stamp(),
            run_id=event.run_id,
            symbol=slot or getattr(event, "symbol", None),
            expires_at=event.expires_at,
            step=self.step,
            code=why.code,
            reason=why.reason,
            attempts=why.attempts,
        )

    async def _bury(
        self,
        message: KafkaMessage,
        why: PoisonError,
        cause: Cause[Any] | None = None,
        slot: str = WHOLE,
    ) -> None:
        """Put a message into the dead-letter topic; fail its step where it says of which run."""
        stage, record = self.stage, raw(message)
        letter = dead_letter(record, why, service=stage.service, stamp=stage.stamp())
        log.error("dead letter", code=why.code, reason=why.reason, position=letter.identity())
        events: list[Event] = [letter]
        if cause is not None and isinstance(cause.event, RunEvent):
            failed = StepFailedError(why.code, why.reason)
            events.append(self._step_failed(cause.event, slot, failed))
        elif letter.run_id and issubclass(self.topic.event, RunEvent):
            events += self._failed_by_key(letter.run_id, letter.symbol, why)
        async for attempt in retry_ours():
            with attempt:
                await self._publish_buried(letter.event_id, slot, events)

    def _failed_by_key(self, run_id: str, symbol: str | None, why: PoisonError) -> list[Event]:
        with contextlib.suppress(ValueError):
            return [
                StepFailed(
                    **self.stage.stamp(),
                    run_id=run_id,
                    symbol=symbol,
                    step=self.step,
                    code=why.code,
                    reason=why.reason,
                )
            ]
        return []

    async def _publish_buried(self, letter_id: uuid.UUID, slot: str, events: Results) -> None:
        async with self.stage.sessions.begin() as session:
            messages = await self.stage.recorded.find(session, letter_id, slot)
            if messages is None:
                messages = self.stage.encode(events)
                await self.stage.recorded.add(session, letter_id, slot, messages)
        await self.stage.publish_recorded(messages)


class _LostTheRace(Exception):  # noqa: N818  # control flow: rolls the transaction back
    """Another replica recorded first."""


async def _stop_uncommitted() -> None:
    """End the process without ever handing the message back, which would commit its offset."""
    signal.raise_signal(signal.SIGTERM)
    await asyncio.Event().wait()


async def commit(message: KafkaMessage) -> None:
    """Commit exactly this message's offset.

    A refusal means that the partition went to another member, or that Kafka is away: the message
    comes again and its record answers it.
    """
    record = raw(message)
    position = {TopicPartition(record.topic, record.partition): record.offset + 1}
    try:
        await message.consumer.commit(position)  # type: ignore[call-arg]  # FastStream's protocol leaves it out
    except KafkaError as e:
        log.warning(
            "offset not committed",
            position=f"{record.topic}/{record.offset}",
            why=str(e),
        )


@contextlib.asynccontextmanager
async def running(stage: Stage) -> AsyncIterator[None]:
    """Connect the broker and consume until the end of the block."""
    async with stage.broker, concurrently(stage.broker, stage.concurrency):
        await stage.broker.start()
        yield
