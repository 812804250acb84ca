"""The parent of a stack's processes: ``python -m deploy.native.supervisor HOME < request``.

Started detached by ``Stack.up``. Starts the parts in order of need, restarts what dies, keeps the
record up to date, and on SIGTERM stops all, services first and PostgreSQL last.
"""

import asyncio
import contextlib
import json
import logging
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from deploy.native.credentials import ensure_credentials
from deploy.native.environment import environment
from deploy.native.errors import PartFailedError
from deploy.native.forks import SUPPORTED, preload
from deploy.native.home import Home
from deploy.native.parts import PARTS, Layer, Replica
from deploy.native.processes import is_same, kill_group, started_at
from deploy.native.runner import Runner
from deploy.native.state import Failure, PartState, StackState, hold_lock
from deploy.native.wiring import Wiring

logger = logging.getLogger(__name__)

# Exit code of a supervisor that found another one in its home.
NOT_ALONE = 75
# What is forked beside the services.
_TOOLS = ("shared.migrations", "shared.topics", "alembic.command", "uvicorn", "uvicorn.loops.auto")
_LET_OTHERS_START_S = 0.2
_LOCK_TRIES = 20
_LOCK_PAUSE_S = 0.05


@dataclass(frozen=True)
class Request:
    """What to start: how many of each part, and where each listens."""

    replicas: dict[str, int]
    wiring: Wiring

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Request":
        found = json.loads(text)
        return cls(found["replicas"], Wiring(**found["wiring"]))


class Supervisor:
    """Runs the parts of one request until told to stop."""

    def __init__(self, home: Home, request: Request) -> None:
        self._home = home
        self._began = time.monotonic()
        self._wiring = request.wiring
        own_start = started_at(os.getpid()) or time.time()
        self._state = StackState(os.getpid(), own_start, request.wiring)
        self._runners = [
            self._runner(name, ordinal)
            for name, count in request.replicas.items()
            for ordinal in range(count)
        ]
        self._state.parts = [runner.state for runner in self._runners]
        self._keepers: set[asyncio.Task[None]] = set()
        self._preloaded = asyncio.Event()

    async def run(self) -> int:
        """Start all, watch until a signal, stop all. Returns the exit code."""
        stop = asyncio.Event()
        for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(sign, stop.set)
        self._changed()
        try:
            await self._start_unless(stop)
            await stop.wait()
        except PartFailedError as e:
            logger.error("%s; the end of its log:\n%s", e, e.tail)  # noqa: TRY400  # not a bug
            self._state.failure = Failure(e.part, e.why, e.tail)
        await self._stop()
        if self._state.failure:
            self._state.phase = "failed"
            self._changed()
            return 1
        self._home.state.unlink(missing_ok=True)
        return 0

    async def _start_unless(self, stop: asyncio.Event) -> None:
        """Start all parts; give up quietly when told to stop. Raises PartFailedError."""
        starting = asyncio.create_task(self._start_all())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        for task in (starting, stopping):
            if not task.done():
                task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await starting

    async def _start_all(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                for runner in self._runners:
                    if runner.part.waited:
                        group.create_task(self._bring_up(runner))
                await self._preload()
        except* PartFailedError as failures:
            raise failures.exceptions[0] from None
        if self._wiring.simulated:
            from deploy.native import market  # noqa: PLC0415  # slow: not before parts can start

            market.let_run(self._home)
        self._state.phase = "ready"
        self._state.took_s = round(time.monotonic() - self._began, 2)
        self._changed()
        for runner in self._runners:
            if not runner.part.waited:
                self._keepers.add(asyncio.create_task(self._bring_up_beside(runner)))

    async def _preload(self) -> None:
        """Import what is forked, while the parts that are not start beside this process."""
        if SUPPORTED and any(runner.part.forked for runner in self._runners):
            await asyncio.sleep(_LET_OTHERS_START_S)
            names = [r.part.name for r in self._runners if r.part.forked and r.part.health]
            preload((*_TOOLS, *(f"services.{name}.main" for name in names)))
        self._preloaded.set()

    async def _bring_up(self, runner: Runner) -> None:
        for needed in self._needed_by(runner):
            await needed.ready.wait()
        if runner.part.forked:
            await self._preloaded.wait()
        await runner.begin()
        if not runner.state.task:
            self._keepers.add(asyncio.create_task(runner.keep()))

    async def _bring_up_beside(self, runner: Runner) -> None:
        try:
            await runner.begin()
        except PartFailedError as e:
            logger.warning("%s; it is tried again; the end of its log:\n%s", e, e.tail)
        await runner.keep()

    def _needed_by(self, runner: Runner) -> list[Runner]:
        return [other for other in self._runners if other.part.name in runner.part.needs]

    async def _stop(self) -> None:
        self._state.phase = "stopping"
        self._changed()
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        for layer in sorted(Layer, reverse=True):
            here = [runner for runner in self._runners if runner.part.layer is layer]
            await asyncio.gather(*(runner.stop() for runner in here))

    def _runner(self, name: str, ordinal: int) -> Runner:
        label = f"{name}-{ordinal}" if ordinal else name
        state = PartState(
            name,
            ordinal,
            log=str(self._home.logs / f"{label}.log"),
            port=self._wiring.port(name, ordinal),
            task=PARTS[name].health is None,
        )
        credentials = ensure_credentials(self._home)
        env = environment(os.environ, self._wiring, credentials, name, ordinal)
        replica = Replica(self._wiring, env, ordinal)
        return Runner(PARTS[name], replica, env, state, self._changed)

    def _changed(self) -> None:
        self._state.write(self._home)


def end_leftovers(parts: Sequence[PartState]) -> None:
    """Kill what a supervisor that was itself killed could not stop.

    On Linux the kernel has done so already; elsewhere nobody has.
    """
    for part in parts:
        if part.pid and part.started and is_same(part.pid, part.started):
            logger.warning("%s is left over as process %d: killed", part.label, part.pid)
            kill_group(part.pid)


def _take(home: Home) -> bool:
    # Who asks whether a supervisor lives holds the lock for a moment.
    for _ in range(_LOCK_TRIES):
        if hold_lock(home):
            return True
        time.sleep(_LOCK_PAUSE_S)
    return False


def main() -> int:
    """Supervise the home given as argument."""
    logging.basicConfig(
        format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr, level=logging.INFO
    )
    home = Home(Path(sys.argv[1]))
    request = Request.from_json(sys.stdin.read())
    if not _take(home):
        return NOT_ALONE
    if before := StackState.read(home):
        end_leftovers(before.parts)
    logger.info("starting %s", ", ".join(request.replicas))
    return asyncio.run(Supervisor(home, request).run())


if __name__ == "__main__":
    sys.exit(main())
