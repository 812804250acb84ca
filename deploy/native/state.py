"""What a stack is doing: written by its supervisor, followed by whoever asks.

Whether a supervisor lives is not read from here but from its lock, which the system releases when
it dies in whatever way; a record left by a crash is thus never taken for a running stack.
"""

import fcntl
import json
import os
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from deploy.native.files import write_atomically
from deploy.native.home import Home
from deploy.native.wiring import Wiring

Phase = Literal["starting", "ready", "stopping", "failed"]
Condition = Literal["waiting", "starting", "ready", "restarting", "failed", "done"]


@dataclass
class PartState:
    """One replica. ``started`` is when its process began, which with the pid names it for good."""

    name: str
    replica: int
    log: str
    port: int
    task: bool
    state: Condition = "waiting"
    pid: int | None = None
    started: float | None = None
    restarts: int = 0
    since: float = 0.0
    took_s: float | None = None
    why: str = ""

    @property
    def label(self) -> str:
        """Return the name, with the ordinal where it is not the first."""
        return f"{self.name}-{self.replica}" if self.replica else self.name


@dataclass
class Failure:
    """Why a stack did not start."""

    part: str
    why: str
    tail: str


@dataclass
class StackState:
    """The whole record."""

    pid: int
    started: float
    wiring: Wiring
    phase: Phase = "starting"
    parts: list[PartState] = field(default_factory=list)
    failure: Failure | None = None
    took_s: float | None = None

    def write(self, home: Home) -> None:
        """Replace the record of ``home``."""
        # The address of a database of the user's own holds its password.
        write_atomically(home.state, json.dumps(asdict(self), indent=1), mode=0o600)

    @classmethod
    def read(cls, home: Home) -> "StackState | None":
        """Return the last record, also of a stack that is no more; None where there is none."""
        try:
            found: dict[str, Any] = json.loads(home.state.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        found["wiring"] = Wiring(**found["wiring"])
        found["parts"] = [PartState(**part) for part in found["parts"]]
        found["failure"] = Failure(**found["failure"]) if found["failure"] else None
        return cls(**found)


def hold_lock(home: Home) -> bool:
    """Take the home for the rest of this process's life; False where another holds it."""
    handle = os.open(home.lock, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return False
    os.ftruncate(handle, 0)
    os.write(handle, str(os.getpid()).encode())
    return True


def supervisor_pid(home: Home) -> int | None:
    """Return the pid of the supervisor that holds this home; None where none lives."""
    try:
        handle = os.open(home.lock, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        # Shared, so that two who ask at once do not take each other for a supervisor.
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(os.read(handle, 32) or 0) or None
    else:
        return None
    finally:
        os.close(handle)
