"""PostgreSQL refuses to run as root, so root's stack runs it as a system account of its own."""

import os
import pwd
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from deploy.native.errors import StackError

# The account that the wheel with PostgreSQL would make and use itself.
_ACCOUNT = "pgserver"


@dataclass(frozen=True)
class Account:
    """Who runs PostgreSQL."""

    uid: int
    gid: int

    def own(self, path: Path) -> None:
        """Make ``path`` this account's, readable by nobody else."""
        os.chown(path, self.uid, self.gid)
        path.chmod(0o700)

    def become(self) -> None:
        """Turn this process into the account's, for good."""
        os.setgroups([])
        os.setgid(self.gid)
        os.setuid(self.uid)


def database_account() -> Account | None:
    """Return the account to change to, made where it is missing; None where none is needed."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(_ACCOUNT)
    except KeyError:
        _make_account()
        entry = pwd.getpwnam(_ACCOUNT)
    return Account(entry.pw_uid, entry.pw_gid)


def _make_account() -> None:
    try:
        command = ["useradd", "--system", "--user-group", "--shell", "/bin/false", _ACCOUNT]
        subprocess.run(command, check=True)  # noqa: S603  # constant, found by PATH
    except (OSError, subprocess.CalledProcessError) as e:
        msg = (
            f"PostgreSQL cannot run as root: expected the system account {_ACCOUNT} or useradd to "
            f"make it, found {type(e).__name__}; make the account, or do not run openbell as root"
        )
        raise StackError(msg) from e


def open_path(path: Path) -> list[Path]:
    """Let other accounts pass (not list) the directories above ``path``; return those changed."""
    closed = [folder for folder in path.parents if not folder.stat().st_mode & stat.S_IXOTH]
    for folder in closed:
        folder.chmod(stat.S_IMODE(folder.stat().st_mode) | stat.S_IXOTH)
    return closed
