"""The one order of work: consume, do, record once, publish what is recorded, commit.

A crash or a rebalance anywhere may do repeatable work twice, but its result exists once, and only
that is ever published. Readers ignore ids that they know.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from faststream.kafka import KafkaBroker
from sqlalchemy.ext.asyncio import AsyncSession

from shared.concurrent import concurrently
from shared.db import Sessions
from shared.envelope import Cause, Message, encode
from shared.events.base import Event
from shared.kafka import publish
from shared.market_time import MarketClock, wall_now
from shared.recorded import Recorded
from shared.subscription import WHOLE, Results, Subscription
from shared.topics import Topic

__all__ = ["WHOLE", "Results", "Stage", "running"]

E = TypeVar("E", bound=Event)
Work = Callable[[Cause[E], str], Awaitable[Results]]
Transact = Callable[[Cause[E], AsyncSession], Awaitable[Results]]

# What is left to commit at the end gets this long.
_SETTLE_S = 2.0


@dataclass(frozen=True)
class Stage:
    """A service's place on the bus. Its handlers return events; all else happens here.

    ``sessions`` are transactions, ``autocommit`` single statements. With ``concurrency`` above 1
    that many messages are worked on at once, and the lowest contiguous offset is committed, so
    that a slow message delays no other.
    """

    service: str
    broker: KafkaBroker
    sessions: Sessions
    autocommit: Sessions
    recorded: Recorded
    clock: MarketClock
    ordinal: str = "0"
    concurrency: int = 1
    subscriptions: list[Subscription] = field(default_factory=list)

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

            self._start(Subscription(self, topic, step, do, each))
            return work

        return register

    def on_transaction(
        self, topic: Topic[E], *, step: str, closes: bool = False
    ) -> Callable[[Transact[E]], Transact[E]]:
        """Register work that changes tables: it and its record are one transaction.

        The handler must not commit, and must not talk to anything but the session. One that
        ``closes`` a run takes in what became of it after its expiry too.
        """

        def register(transact: Transact[E]) -> Transact[E]:
            async def do(cause: Cause[Any], _: str, session: AsyncSession | None) -> Results:
                assert session is not None  # noqa: S101  # it is transactional
                return await transact(cause, session)

            self._start(Subscription(self, topic, step, do, transactional=True, closes=closes))
            return transact

        return register

    def _start(self, subscription: Subscription) -> None:
        self.subscriptions.append(subscription)
        subscription.start()

    async def publish_recorded(self, messages: Sequence[Message]) -> None:
        """Publish recorded messages in their order and wait for all acks."""
        for message in messages:
            await publish(self.broker, message)

    def encode(self, events: Results, traceparent: str | None = None) -> list[Message]:
        """Return the messages of events as this service publishes them."""
        return [encode(e, source=self.service, traceparent=traceparent) for e in events]


@contextlib.asynccontextmanager
async def running(stage: Stage) -> AsyncIterator[None]:
    """Connect the broker and consume until the end of the block."""
    async with stage.broker, concurrently(stage.broker, stage.concurrency):
        await stage.broker.start()
        yield
        settled = (subscription.commits.settle() for subscription in stage.subscriptions)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SETTLE_S):
                await asyncio.gather(*settled)
