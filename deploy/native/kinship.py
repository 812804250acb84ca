"""A child that does not outlive its parent, whatever ends the parent."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15


def die_with_parent(sign: signal.Signals = signal.SIGKILL) -> None:
    """Have the kernel send ``sign`` to this process when its parent ends. Linux only.

    Survives exec, but not a change of account: then it must be said again.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(sign), 0, 0, 0)


def set_name(name: str) -> None:
    """Set what ``ps -o comm`` shows of this process, up to 15 letters. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0)


def tie_to(parent: int) -> Callable[[], None]:
    """Return what a child of ``parent`` calls between fork and exec."""

    def tie() -> None:
        die_with_parent()
        if os.getppid() != parent:  # it ended before the kernel was told
            os._exit(1)

    return tie
