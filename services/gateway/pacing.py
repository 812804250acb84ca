"""Everybody's turn at the broker: one line for the whole username, session keep-alive first."""

import asyncio
import contextlib
import math
from bisect import insort
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from services.gateway.limits import Priority, priority_of
from services.gateway.schedule import Schedule
from shared.ibkr.errors import TooManyRequestsError

# Who would have to wait longer for the end of a penalty is told so at once.
_PATIENCE_S = 10.0
log = structlog.get_logger(__name__)


class Timer(Protocol):
    """The part of an event loop that pacing needs; tests bring their own."""

    def time(self) -> float:
        """Return monotonic seconds."""
        ...

    @property
    def call_at(self) -> Callable[[float, Callable[[], None]], asyncio.TimerHandle]:
        """What calls back at an instant."""
        ...


class HeldError(TooManyRequestsError):
    """The broker said that we ask too often: nothing was sent, wait ``retry_after_s``."""

    def __init__(self, path: str, seconds: float) -> None:
        msg = f"the broker refused our pace: {path} is held for {seconds:.0f} s"
        super().__init__(msg, retry_after_s=seconds)


@dataclass(order=True)
class _Waiter:
    priority: Priority
    number: int
    path: str = field(compare=False)
    turn: asyncio.Future[float] = field(compare=False)


class Pacer:
    """Lets requests go in order of priority and arrival, each as soon as its limits allow."""

    def __init__(self, timer: Timer | None = None) -> None:
        self._timer = timer
        self._schedule = Schedule()
        self._waiting: list[_Waiter] = []
        self._arrived = 0
        self._wake: asyncio.TimerHandle | None = None

    @contextlib.asynccontextmanager
    async def turn(self, path: str) -> AsyncIterator[float]:
        """Wait for the turn of a request, which is under way from the instant given to the end.

        Raises HeldError where the broker holds the path for longer than anybody waits.
        """
        begun = await self._turn(path)
        try:
            yield begun
        finally:
            self._schedule.done(path)
            self._let_go()

    def refused(self, path: str, begun: float, retry_after_s: float | None) -> None:
        """Take note of a 429 of the broker to a request that began at ``begun``."""
        self._schedule.refused(path, begun, self._now(), retry_after_s)
        held_s = self._schedule.held_until(path) - self._now()
        log.error("the broker refused our pace", path=path, held_s=round(held_s))
        self._let_go()

    async def _turn(self, path: str) -> float:
        self._arrived += 1
        turn: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        waiter = _Waiter(priority_of(path), self._arrived, path, turn)
        insort(self._waiting, waiter)
        self._let_go()
        try:
            return await turn
        except asyncio.CancelledError:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
            elif not turn.cancelled() and turn.exception() is None:
                self._schedule.done(path)
                self._let_go()
            raise

    def _let_go(self) -> None:
        """Let everyone go whose time has come; come back when the next one's has."""
        now, again = self._now(), math.inf
        for waiter in list(self._waiting):
            held_s = self._schedule.held_until(waiter.path) - now
            earliest = self._schedule.earliest(waiter.path, now)
            if waiter.turn.cancelled():
                self._waiting.remove(waiter)
            elif held_s > _PATIENCE_S:
                self._waiting.remove(waiter)
                waiter.turn.set_exception(HeldError(waiter.path, held_s))
            elif earliest <= now:
                self._waiting.remove(waiter)
                self._schedule.begin(waiter.path, now)
                waiter.turn.set_result(now)
            else:
                again = min(again, earliest)
        if self._wake is not None:
            self._wake.cancel()
        self._wake = None if again == math.inf else self._clock().call_at(again, self._let_go)

    def _now(self) -> float:
        return self._clock().time()

    def _clock(self) -> Timer:
        return asyncio.get_running_loop() if self._timer is None else self._timer
