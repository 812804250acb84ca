"""Starting, identifying and ending processes."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from deploy.native.forks import Fork, fork_module
from deploy.native.home import CHECKOUT
from deploy.native.kinship import tie_to

_LOG_LIMIT = 20_000_000
# Start times are counted in hundredths of a second from the boot, whose time may be adjusted.
_SAME_START_S = 1.0


@dataclass
class Child:
    """A running part, in a process group of its own: Ctrl-C in a terminal does not reach it.

    ``log_begins`` is where its own lines begin in a log that it shares with those before it.
    """

    process: asyncio.subprocess.Process | Fork
    started: float
    log_begins: int

    @property
    def pid(self) -> int:
        return self.process.pid

    async def stop(self, sign: signal.Signals, grace_s: float) -> None:
        """Ask it to end, wait, then kill what is left of its group."""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(sign)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), grace_s)
        kill_group(self.pid)
        await self.process.wait()


def start_fork(name: str, command: list[str], env: Mapping[str, str], log: Path) -> Child:
    """Do as ``start`` does for ``python -m``, with what this process has imported."""
    _rotate(log)
    log_begins = log.stat().st_size if log.exists() else 0
    process = fork_module(name, command, env, log)
    return Child(process, started_at(process.pid) or 0.0, log_begins)


async def start(command: list[str], env: Mapping[str, str], log: Path) -> Child:
    """Start a child whose output goes to ``log`` and which ends when this process does.

    Must be called from the main thread: a child is tied to the thread that made it.
    """
    _rotate(log)
    with log.open("ab") as output:
        log_begins = output.tell()
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(env),
            cwd=CHECKOUT,
            process_group=0,
            preexec_fn=tie_to(os.getpid()),
        )
    return Child(process, started_at(process.pid) or 0.0, log_begins)


def _rotate(log: Path) -> None:
    if log.exists() and log.stat().st_size > _LOG_LIMIT:
        log.replace(log.with_suffix(".log.1"))


def started_at(pid: int) -> float | None:
    """Return when a process began, in seconds of the epoch; None where there is none."""
    try:
        return float(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None


def is_same(pid: int, started: float) -> bool:
    """Whether ``pid`` is still the process that began at ``started``, not a later one."""
    now = started_at(pid)
    return now is not None and abs(now - started) < _SAME_START_S


def kill_group(leader: int) -> None:
    """Kill what is left of the group that ``leader`` made."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def memory_mb(pid: int) -> float:
    """Return the memory of a process and its descendants, shared pages counted in part (PSS)."""
    try:
        leader = psutil.Process(pid)
        family = [leader, *leader.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    return round(sum(_bytes_of(member) for member in family) / 1e6, 1)


def _bytes_of(process: psutil.Process) -> int:
    with contextlib.suppress(OSError, psutil.Error):
        rollup = Path(f"/proc/{process.pid}/smaps_rollup")
        if not rollup.exists():
            return int(process.memory_info().rss)
        for line in rollup.read_text(encoding="ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0
