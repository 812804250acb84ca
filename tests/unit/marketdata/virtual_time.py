"""An event loop in which waiting takes no time: where all wait, its clock jumps to who is next."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class _Jumping(selectors.DefaultSelector):
    """Never waits: what it was to wait for has passed already."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        assert ready or timeout is not None, "all wait for something that will never happen"
        self.passed += 0 if ready else timeout or 0
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.passed


def in_virtual_time(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run work that talks to nothing outside this process; its loop's clock begins at zero."""
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(work())
