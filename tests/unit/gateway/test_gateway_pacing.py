"""Turns at the broker, in a time that a test owns."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.pacing import HeldError, Pacer

DATA = "trsrv/stocks"


class Timer:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0
        self.due: list[tuple[float, Callable[[], None], asyncio.TimerHandle]] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], None], /) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(when, callback, (), asyncio.get_running_loop())
        self.due.append((when, callback, handle))
        return handle

    async def move(self, seconds: float) -> None:
        """Let time pass, from one call to the next."""
        end = self.now + seconds
        await settle()
        while live := [d for d in self.due if not d[2].cancelled() and d[0] <= end]:
            when, callback, _ = entry = min(live, key=lambda due: due[0])
            self.due.remove(entry)
            self.now = max(self.now, when)
            callback()
            await settle()
        self.now = end


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


class Queue:
    """Requests that take no time once it is their turn; remembers when that was."""

    def __init__(self) -> None:
        self.timer = Timer()
        self.pacer = Pacer(self.timer)
        self.went: list[tuple[float, str]] = []
        self.tasks: list[asyncio.Task[None]] = []

    def join(self, path: str) -> asyncio.Task[None]:
        async def go() -> None:
            async with self.pacer.turn(path):
                self.went.append((self.timer.now, path))

        self.tasks.append(asyncio.create_task(go()))
        return self.tasks[-1]

    async def leave(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


@contextlib.asynccontextmanager
async def queue() -> Any:
    line = Queue()
    try:
        yield line
    finally:
        await line.leave()


async def test_what_is_within_the_pace_goes_at_once() -> None:
    async with queue() as line:
        line.join(DATA)
        await settle()
        assert line.went == [(100.0, DATA)]


async def test_keep_alive_passes_all_that_waits() -> None:
    async with queue() as line:
        for _ in range(30):
            line.join(DATA)
        await settle()
        line.join("tickle")
        await line.timer.move(1)
        place = [path for _, path in line.went].index("tickle")
        assert place == 8
        assert line.went[place][0] == 101.0


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([DATA, "tickle"]), st.floats(0, 0.5)), max_size=40))
async def test_every_second_has_at_most_ten_and_keep_alive_never_starves(
    wishes: list[tuple[str, float]],
) -> None:
    async with queue() as line:
        joined: list[float] = []
        for path, pause in wishes:
            await line.timer.move(pause)
            joined += [line.timer.now] if path == "tickle" else []
            line.join(path)
        await line.timer.move(60)
        instants = [at for at, _ in line.went]
        assert len(instants) == len(wishes)
        assert all(sum(a <= b < a + 1 for b in instants) <= 10 for a in instants)
        tickles = [at for at, path in line.went if path == "tickle"]
        for nth, (asked, went) in enumerate(zip(joined, tickles, strict=True)):
            before = tickles[nth - 1] if nth else 0.0
            assert went <= max(asked, before) + 1 + 1e-6


async def test_one_who_leaves_the_line_takes_nobodys_turn() -> None:
    async with queue() as line:
        for _ in range(8):
            line.join(DATA)
        await settle()
        gone = line.join("iserver/marketdata/history")
        line.join("trsrv/secdef")
        await settle()
        gone.cancel()
        await line.timer.move(1)
        assert line.went[8:] == [(101.0, "trsrv/secdef")]


async def test_who_leaves_just_when_it_is_his_turn_gives_the_place_back() -> None:
    async with queue() as line:
        history = "iserver/marketdata/history"
        async with contextlib.AsyncExitStack() as charts:
            for _ in range(4):
                await charts.enter_async_context(line.pacer.turn(history))
            gone = line.join(history)
            await settle()
        gone.cancel()
        for _ in range(4):
            line.join(history)
        await line.timer.move(2)
        assert gone.cancelled()
        assert len(line.went) == 4


async def test_a_long_penalty_is_told_at_once_to_all_who_wait() -> None:
    async with queue() as line:
        for _ in range(8):
            line.join(DATA)
        last = line.join(DATA)
        await settle()
        line.pacer.refused(DATA, begun=100.0, retry_after_s=None)
        line.pacer.refused(DATA, begun=100.5, retry_after_s=None)
        with pytest.raises(HeldError) as caught:
            await last
        assert caught.value.retry_after_s == 900
        with pytest.raises(HeldError, match="tickle is held for 900 s"):
            await line.join("tickle")


async def test_a_short_penalty_is_waited_for() -> None:
    async with queue() as line:
        line.pacer.refused("tickle", begun=100.0, retry_after_s=5)
        line.join("tickle")
        line.join(DATA)
        await line.timer.move(6)
        assert line.went == [(100.0, DATA), (105.0, "tickle")]
