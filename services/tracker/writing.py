"""From the tracker's table into MLflow: each finished run whole, in one replica at a time.

MLflow is of the world: while it is away everything waits in the table, for as long as it takes. A
run that it refuses waits longer and delays no other.
"""

import asyncio
import os
import random
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog

from services.tracker import store
from services.tracker.errors import AwayError
from services.tracker.history import History, is_whole
from services.tracker.logged import logged
from services.tracker.store import Due
from shared.db import Sessions
from shared.market_time import wall_now
from shared.sweep import alone, every

if TYPE_CHECKING:
    from services.tracker.client import Client

NEWEST: Final = 200
_AT_ONCE = 4
_EVERY_S = 1.0
_LONGEST_PAUSE_S = 5.0
_PRUNE_EVERY_S = 3600.0
# What is missing of a run is on its way; after this it is taken to be lost.
_PATIENCE = timedelta(minutes=1)
_SOON = timedelta(seconds=1)
_MISSED = timedelta(seconds=10)
_REFUSED = timedelta(minutes=10)
# Fills and cancels come within the day; the topics keep everything for thirty.
_EVENTS_KEPT, _RUNS_KEPT = timedelta(days=2), timedelta(days=45)
log = structlog.get_logger(__name__)

# For MLflow's client, read when it is imported. Retries are ours: its own would repeat the making
# of a run. It tells nobody what it is used for.
_ENVIRONMENT: Final = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}


class Writing:
    """Writes what is due, the run that ended first, first."""

    def __init__(self, sessions: Sessions, tracking_uri: str) -> None:
        self._sessions = sessions
        self._tracking_uri = tracking_uri
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="mlflow")
        self._client: Client | None = None
        self._pause_s = 0.0
        self._far_behind = False

    async def keep_writing(self) -> None:
        """Write until cancelled; forget every hour what is no longer needed."""
        await asyncio.gather(every(_EVERY_S, self.write_due), every(_PRUNE_EVERY_S, self._prune))

    async def write_due(self) -> None:
        """Write everything that is due, unless another replica is at it."""
        async with self._sessions.begin() as guard:
            if not await alone(guard, "tracker.write"):
                return
            # Asked by the guard, so that who has lost the lock with its connection ends here.
            while batch := await store.due(guard, self._at_once()):
                self._say_how_far_behind(batch)
                await self._write_all(batch)
                if self._pause_s:
                    break
        await asyncio.sleep(random.uniform(0, self._pause_s))  # noqa: S311  # jitter

    def _at_once(self) -> int:
        # One alone opens the client, and asks whether MLflow is back.
        return 1 if self._pause_s or self._client is None else _AT_ONCE

    def _say_how_far_behind(self, batch: Sequence[Due]) -> None:
        waiting = batch[0].newer + 1
        if waiting > NEWEST and not self._far_behind:
            log.warning("far behind: charts and traces of the newest runs only", waiting=waiting)
        self._far_behind = waiting > NEWEST

    async def _write_all(self, batch: Sequence[Due]) -> None:
        # All come to their end, whatever one of them ends with: none is begun again beside itself.
        ends = await asyncio.gather(*map(self._write, batch), return_exceptions=True)
        if bad := [end for end in ends if isinstance(end, BaseException)]:
            raise bad[0]

    async def _write(self, run: Due) -> None:
        async with self._sessions.begin() as session:
            history = await store.history_of(session, run.run_id)
            known = await store.known_ids(session, run.run_id)
        if not is_whole(history) and run.quiet_for < _PATIENCE:
            await self._put_off(run, _SOON)
            return
        async with self._sessions.begin() as session:
            await store.begin(session, run)
        try:
            ids = await self._in_thread(run, history, known)
        except AwayError as e:
            self._pause(str(e))
            await self._put_off(run, _MISSED)
        except Exception:
            # Refused, or a bug of ours: neither must stop the others.
            log.exception("a run cannot be tracked", run_id=run.run_id)
            await self._put_off(run, _REFUSED)
        else:
            self._go_on()
            async with self._sessions.begin() as session:
                await store.mark_written(session, run, ids)
            log.info("tracked", run_id=run.run_id, symbols=len(ids) - 1)

    async def _in_thread(
        self, run: Due, history: History, known: Mapping[str, str]
    ) -> Mapping[str, str]:
        left_out = None
        if run.newer >= NEWEST:
            left_out = f"chart and trace: {run.newer} newer runs were waiting"

        def write() -> Mapping[str, str]:
            runs = logged(history, left_out)
            return self._mlflow().write(runs, known, unsure=run.attempts > 0)

        work = asyncio.get_running_loop().run_in_executor(self._threads, write)
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            # A thread cannot be stopped, and the lock must not go before it has ended.
            await asyncio.wait([work])
            raise

    def _pause(self, why: str) -> None:
        if not self._pause_s:
            log.warning("mlflow does not answer, trying again", why=why[:300])
        self._pause_s = min(2 * self._pause_s or _EVERY_S, _LONGEST_PAUSE_S)

    def _go_on(self) -> None:
        if self._pause_s:
            log.info("mlflow answers again")
        self._pause_s = 0.0

    async def _put_off(self, run: Due, delay: timedelta) -> None:
        async with self._sessions.begin() as session:
            await store.put_off(session, run, delay)

    def _mlflow(self) -> "Client":
        """Return the client; its import takes seconds and much memory, so not before its time."""
        if self._client is None:
            os.environ.update(_ENVIRONMENT | _direct())
            from services.tracker.client import Client  # noqa: PLC0415  # as said

            self._client = Client(self._tracking_uri)
        return self._client

    async def _prune(self) -> None:
        now = wall_now()
        async with self._sessions.begin() as session:
            await store.prune(session, now - _EVENTS_KEPT, now - _RUNS_KEPT)


def _direct() -> dict[str, str]:
    """Return what keeps a proxy of the environment to the world, away from this machine."""
    others = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    direct = ",".join(filter(None, (others, "127.0.0.1,localhost")))
    return {"no_proxy": direct, "NO_PROXY": direct}
