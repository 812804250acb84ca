"""What a test kills and freezes: a process of the stack, or a part that runs elsewhere."""

import os
import signal
from dataclasses import dataclass
from typing import Protocol


class Victim(Protocol):
    """A part as a fault meets it. Killed, it comes back by itself."""

    def kill(self) -> None: ...

    def freeze(self) -> None: ...

    def thaw(self) -> None: ...


class Elsewhere(Victim, Protocol):
    """A part that the stack does not start: ``setting`` tells it the address."""

    @property
    def setting(self) -> str: ...

    @property
    def address(self) -> str: ...


@dataclass(frozen=True)
class Process:
    """A part that the stack's supervisor keeps."""

    pid: int

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def freeze(self) -> None:
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)
