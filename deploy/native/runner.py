"""One replica of a part: started, waited for, and started again when it dies."""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from deploy.native.errors import PartFailedError
from deploy.native.files import tail
from deploy.native.forks import SUPPORTED
from deploy.native.parts import Part, Replica
from deploy.native.processes import Child, kill_group, start, start_fork
from deploy.native.state import Condition, PartState

logger = logging.getLogger(__name__)

_POLL_S = 0.1
_FIRST_DELAY_S = 0.2
_LONGEST_DELAY_S = 10.0
_STABLE_S = 30.0
_HOPELESS = 5
_TAIL_LINES = 15
_TAIL_WIDTH = 300


class Runner:
    """Keeps one replica alive and its state up to date.

    ``begin`` is called once, ``keep`` after it; ``stop`` ends the process in whatever state.
    """

    def __init__(
        self,
        part: Part,
        replica: Replica,
        env: Mapping[str, str],
        state: PartState,
        changed: Callable[[], None],
    ) -> None:
        self.part = part
        self.state = state
        self.ready = asyncio.Event()
        self._replica = replica
        self._env = env
        self._changed = changed
        self._child: Child | None = None
        self._failures = 0

    async def begin(self) -> None:
        """Start for the first time; return when ready. Raises PartFailedError."""
        await self._start("starting")
        self.ready.set()

    async def keep(self) -> None:
        """Start again whenever the process ends. Never returns."""
        while True:
            child = self._running()
            began = time.monotonic()
            code = await child.process.wait()
            if time.monotonic() - began > _STABLE_S:
                self._failures = 0
            self._report(f"ended with {code}")
            await self._restart()

    async def stop(self) -> None:
        """End the process, if there is one."""
        if self._child:
            await self._child.stop(self.part.stop_signal, self.part.grace_s)
            self._child = None

    async def _restart(self) -> None:
        while True:
            self.state.restarts += 1
            self._set("failed" if self._failures >= _HOPELESS else "restarting", pid=None)
            delay = min(_FIRST_DELAY_S * 2**self._failures, _LONGEST_DELAY_S)
            self._failures += 1
            await asyncio.sleep(delay)
            try:
                await self._start("restarting")
            except PartFailedError as e:
                self._report(str(e))
            else:
                return

    async def _start(self, condition: Condition) -> None:
        if self._child:
            kill_group(self._child.pid)  # what a dead leader has left behind
        began = time.monotonic()
        command = self.part.command(self._replica)
        log = Path(self.state.log)
        if self.part.forked and SUPPORTED:
            self._child = start_fork(self.state.label, command, self._env, log)
        else:
            self._child = await start(command, self._env, log)
        if self.part.nice:
            with contextlib.suppress(ProcessLookupError):
                os.setpriority(os.PRIO_PROCESS, self._child.pid, self.part.nice)
        self.state.started = self._child.started
        self._set(condition, pid=self._child.pid)
        try:
            async with asyncio.timeout(self.part.start_limit_s):
                await (self._until_done() if self.part.health is None else self._until_ready())
        except TimeoutError:
            await self._running().stop(self.part.stop_signal, self.part.grace_s)
            self._fail(f"expected ready within {self.part.start_limit_s:.0f} s, found it not so")
        self.state.took_s = round(time.monotonic() - began, 2)
        self._set("done" if self.part.health is None else "ready")

    async def _until_done(self) -> None:
        code = await self._running().process.wait()
        if code:
            self._fail(f"expected exit 0, found {code}")
        self.state.pid = None

    async def _until_ready(self) -> None:
        child = self._running()
        healthy = self.part.health(self._replica) if self.part.health else None
        while healthy and not await healthy():
            if child.process.returncode is not None:
                self._fail(f"expected it to run, found exit {child.process.returncode}")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(child.process.wait(), _POLL_S)

    def _running(self) -> Child:
        if self._child is None:
            msg = f"{self.part.name} was never started"
            raise RuntimeError(msg)
        return self._child

    def _fail(self, why: str) -> None:
        self._set("failed", pid=None, why=why)
        raise PartFailedError(self.state.label, why, self._last_lines())

    def _last_lines(self) -> str:
        since = self._child.log_begins if self._child else 0
        return tail(Path(self.state.log), _TAIL_LINES, width=_TAIL_WIDTH, since=since)

    def _report(self, what: str) -> None:
        said = self._last_lines()
        logger.warning("%s %s; the end of its log:\n%s", self.state.label, what, said)
        self.state.why = what

    def _set(self, condition: Condition, **changes: int | str | None) -> None:
        self.state.state = condition
        self.state.since = round(time.time(), 3)
        for name, value in changes.items():
            setattr(self.state, name, value)
        self._changed()
