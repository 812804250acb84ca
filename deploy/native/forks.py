"""Services forked from a supervisor that has imported all of them once.

An import of FastAPI, SQLAlchemy, FastStream and pandas costs each service seconds of CPU; forked,
they start at once, and share the memory of what they have in common. Linux only: elsewhere a
service is started as a command.
"""

import asyncio
import contextlib
import gc
import logging
import os
import runpy
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import NoReturn

from deploy.native.kinship import set_name, tie_to

logger = logging.getLogger(__name__)

SUPPORTED = sys.platform == "linux"
_HIGHEST_FD = 4096


def preload(modules: Iterable[str]) -> None:
    """Import what the forks will need, in this process."""
    # Read when numpy is imported; one thread each is what small arrays want.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for name in modules:
        import_module(name)
    gc.collect()
    gc.freeze()  # so that the forks' collectors leave the shared pages alone


class Fork:
    """A forked process, with what the supervisor uses of ``asyncio.subprocess.Process``."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = asyncio.Event()
        self._fd = os.pidfd_open(pid)
        asyncio.get_running_loop().add_reader(self._fd, self._reap)

    async def wait(self) -> int:
        """Return the exit code, negative for a signal, once it has ended."""
        await self._ended.wait()
        assert self.returncode is not None  # noqa: S101  # set before the event
        return self.returncode

    def send_signal(self, sign: int) -> None:
        """Send a signal. Raises ProcessLookupError where it has ended."""
        if self.returncode is not None:
            raise ProcessLookupError(self.pid)
        os.kill(self.pid, sign)

    def _reap(self) -> None:
        asyncio.get_running_loop().remove_reader(self._fd)
        os.close(self._fd)
        _, status = os.waitpid(self.pid, 0)
        self.returncode = os.waitstatus_to_exitcode(status)
        self._ended.set()


def fork_module(name: str, command: Sequence[str], env: Mapping[str, str], log: Path) -> Fork:
    """Fork a process that is what ``[python, "-m", module, *arguments]`` would be.

    In a process group of its own, ends when this one does, output appended to ``log``. ``name`` is
    what ``ps`` shows of it.
    """
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        with contextlib.suppress(BaseException):
            _become(name, command, env, log, parent)
        os._exit(1)
    return Fork(pid)


def _become(
    name: str, command: Sequence[str], env: Mapping[str, str], log: Path, parent: int
) -> NoReturn:
    os.setpgid(0, 0)
    tie_to(parent)()
    set_name(name)
    _forget_the_parent(log)
    os.environ.clear()
    os.environ.update(env)
    module = command[2]
    sys.argv = list(command[2:])
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
        code = 0
    except SystemExit as e:
        code = e.code if isinstance(e.code, int) else int(e.code is not None)
    except BaseException:
        logger.exception("%s ended", name)
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _forget_the_parent(log: Path) -> None:
    """Give up its signals, files and log; the lock by which it is known to live among them."""
    signal.set_wakeup_fd(-1)
    for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(sign, signal.SIG_DFL)
    os.closerange(3, _HIGHEST_FD)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    logging.root.handlers.clear()
    logging.root.setLevel(logging.WARNING)
