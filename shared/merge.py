"""Questions of many callers in one request, because the broker's pace is counted per username."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

A = TypeVar("A")
# The broker takes this many contracts or symbols in one request.
MOST_NAMES = 100
# The symbols of a run come in side by side within about a millisecond.
_GATHER_S = 0.002
# Beyond this many under way, the next one grows instead of another being queued.
_AT_ONCE = 4


@dataclass
class _Batch(Generic[A]):
    """Names that will be asked for together, in order of arrival."""

    names: dict[str, None] = field(default_factory=dict)
    task: asyncio.Task[A] | None = None

    def takes(self, names: tuple[str, ...]) -> bool:
        return len(self.names.keys() | set(names)) <= MOST_NAMES


class Merge(Generic[A]):
    """Gathers questions on the same fields for a moment and asks them as one."""

    def __init__(self, ask: Callable[[tuple[str, ...], str], Awaitable[A]]) -> None:
        self._ask = ask
        self._open: dict[str, _Batch[A]] = {}
        self._slots = asyncio.Semaphore(_AT_ONCE)

    async def ask(self, names: tuple[str, ...], fields: str) -> A:
        """Return the answer to a question that holds this one. A caller may go away at any time."""
        batch = self._open.get(fields)
        if batch is None or not batch.takes(names):
            batch = self._open[fields] = _Batch()
        batch.names.update(dict.fromkeys(names))
        if batch.task is None:
            batch.task = asyncio.create_task(self._send(batch, fields))
        return await asyncio.shield(batch.task)

    async def _send(self, batch: _Batch[A], fields: str) -> A:
        await asyncio.sleep(_GATHER_S)
        async with self._slots:
            if self._open.get(fields) is batch:
                del self._open[fields]
            return await self._ask(tuple(batch.names), fields)
