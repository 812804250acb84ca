"""One topic of one service, under the rule of ``shared.stage``."""

import asyncio
import contextlib
import signal
import uuid
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog
from faststream.kafka import KafkaMessage
from sqlalchemy.ext.asyncio import AsyncSession

from shared.backoff import retry_ours
from shared.commits import Commits
from shared.concurrent import rebalance_listener
from shared.dead_letters import dead_letter
from shared.envelope import Cause, Message, decode
from shared.events.base import Event, RunEvent
from shared.events.run import StepFailed
from shared.failures import PoisonError, StepFailedError, is_ours
from shared.kafka import raw, subscribe
from shared.topics import Topic

if TYPE_CHECKING:
    from shared.stage import Stage

Results = Sequence[Event]
Do = Callable[[Cause[Any], str, AsyncSession | None], Awaitable[Results]]

# The slot of work that is not fanned out.
WHOLE = ""
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Subscription:
    """``do`` is given a session where it is ``transactional``; ``each`` fans a message out.

    What ``closes`` a run is not refused when the run is past its expiry.
    """

    stage: "Stage"
    topic: Topic[Any]
    step: str
    do: Do
    each: Callable[[Any], Iterable[str]] | None = None
    transactional: bool = False
    closes: bool = False
    commits: Commits = field(default_factory=Commits)

    def start(self) -> None:
        """Subscribe; messages come once the broker starts."""
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
                self.commits.done(message)

        subscriber(consume)

    async def _handle(self, message: KafkaMessage) -> None:
        try:
            cause = decode(raw(message), self.topic.event)
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
                    await self.stage.publish_recorded(await self._once(cause, slot))
                except PoisonError as e:
                    await self._bury(message, e, cause, slot)
                except Exception as e:
                    if is_ours(e):
                        raise
                    # A bug of ours must stop neither the others nor this service.
                    log.exception("handler failed", slot=slot)
                    found = f"{type(e).__name__}: {e}"
                    await self._bury(message, PoisonError("internal_error", found), cause, slot)

    async def _once(self, cause: Cause[Any], slot: str) -> list[Message]:
        """Return what is recorded of this work; where nothing is, do it and record it."""
        try:
            if self.transactional:
                return await self._in_one_transaction(cause, slot)
            async with self.stage.autocommit() as session:
                found = await self.stage.recorded.find(session, cause.input_id, slot)
            if found is not None:
                return found
            self._refuse_expired(cause.event)
            events = await self.do(cause, slot, None)
        except StepFailedError as e:
            if not isinstance(cause.event, RunEvent):
                raise
            log.warning("step failed", step=self.step, code=e.code, reason=e.reason, slot=slot)
            events = [self._step_failed(cause.event, slot, e)]
        return await self._record(cause, slot, events)

    async def _in_one_transaction(self, cause: Cause[Any], slot: str) -> list[Message]:
        """Do and record; a failed step rolls back what its handler did so far.

        There is no look first: where the input was handled before, the record conflicts, all that
        was done again is rolled back, and what was recorded then is returned.
        """
        with contextlib.suppress(_HandledBefore):
            async with self.stage.sessions.begin() as session:
                self._refuse_expired(cause.event)
                events = await self.do(cause, slot, session)
                messages = self.stage.encode(events, cause.headers.get("traceparent"))
                if not await self.stage.recorded.add(session, cause.input_id, slot, messages):
                    raise _HandledBefore
                return messages
        return await self._winner(cause, slot)

    async def _record(self, cause: Cause[Any], slot: str, events: Results) -> list[Message]:
        messages = self.stage.encode(events, cause.headers.get("traceparent"))
        async with self.stage.autocommit() as session:
            if await self.stage.recorded.add(session, cause.input_id, slot, messages):
                return messages
        return await self._winner(cause, slot)

    async def _winner(self, cause: Cause[Any], slot: str) -> list[Message]:
        async with self.stage.autocommit() as session:
            found = await self.stage.recorded.find(session, cause.input_id, slot)
        assert found is not None  # noqa: S101  # a conflict means that the row is there
        return found

    def _refuse_expired(self, event: Event) -> None:
        expires_at = None if self.closes else getattr(event, "expires_at", None)
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
            evidence_hash=getattr(event, "evidence_hash", None),
        )

    async def _bury(
        self,
        message: KafkaMessage,
        why: PoisonError,
        cause: Cause[Any] | None = None,
        slot: str = WHOLE,
    ) -> None:
        """Put a message into the dead-letter topic; fail its step where it says of which run."""
        stage = self.stage
        letter = dead_letter(raw(message), why, service=stage.service, stamp=stage.stamp())
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
        async with self.stage.autocommit() as session:
            messages = await self.stage.recorded.find(session, letter_id, slot)
            if messages is None:
                messages = self.stage.encode(events)
                await self.stage.recorded.add(session, letter_id, slot, messages)
        await self.stage.publish_recorded(messages)


class _HandledBefore(Exception):  # noqa: N818  # control flow: rolls the transaction back
    """Recorded already, by an earlier life of this service or by another replica."""


async def _stop_uncommitted() -> None:
    """End the process without ever handing the message back, which would commit its offset."""
    signal.raise_signal(signal.SIGTERM)
    await asyncio.Event().wait()
