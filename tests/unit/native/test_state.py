import subprocess
import sys
from pathlib import Path

import pytest

from deploy.native.config import in_force, without_password
from deploy.native.files import tail, write_atomically
from deploy.native.home import CHECKOUT, Home
from deploy.native.processes import is_same, started_at
from deploy.native.stack import Stack
from deploy.native.state import Failure, PartState, StackState, supervisor_pid
from deploy.native.supervisor import NOT_ALONE
from deploy.native.wiring import Wiring

HOLDER = """
import sys
from pathlib import Path
from deploy.native.home import Home
from deploy.native.state import hold_lock
print(hold_lock(Home(Path(sys.argv[1]))), flush=True)
sys.stdin.read()
"""
WIRING = Wiring("/h", "k:1", "postgresql://u:secret@h/d?sslmode=require", "l", None, "b", True)  # noqa: FBT003


def hold(home: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
    )


def test_a_record_reads_as_it_was_written(tmp_path: Path) -> None:
    home = Home(tmp_path)
    part = PartState("kafka", 1, "/l", 9092, task=False, state="ready", pid=7, started=1.5)
    state = StackState(1, 2.0, WIRING, parts=[part], failure=Failure("kafka", "why", "tail"))

    state.write(home)

    assert StackState.read(home) == state
    assert part.label == "kafka-1"


def test_a_home_without_a_lock_has_no_supervisor(tmp_path: Path) -> None:
    assert supervisor_pid(Home(tmp_path)) is None
    assert StackState.read(Home(tmp_path)) is None


def test_a_killed_supervisor_frees_its_home(tmp_path: Path) -> None:
    with hold(tmp_path) as first:
        assert first.stdout
        assert first.stdout.readline() == "True\n"
        assert supervisor_pid(Home(tmp_path)) == first.pid
        with hold(tmp_path) as second:
            assert second.communicate()[0] == "False\n"
        first.kill()
    assert supervisor_pid(Home(tmp_path)) is None


def test_a_process_is_known_by_its_start() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        started = started_at(process.pid)
        assert started
        assert is_same(process.pid, started)
        assert not is_same(process.pid, started - 60)
        process.kill()
    assert started_at(process.pid) is None


def test_what_is_in_force_shows_no_password() -> None:
    shown = in_force(WIRING)

    assert shown["database"]["url"] == "postgresql://u@h/d?sslmode=require"
    assert (
        without_password("postgresql://postgres@/d?host=/s") == "postgresql://postgres@/d?host=/s"
    )
    assert shown["ibkr"]["simulator_url"] is None


def test_a_tail_is_the_end_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    write_atomically(log, "".join(f"line {n}\n" for n in range(20_000)))

    assert tail(log, 2) == "line 19998\nline 19999"
    assert tail(log, 1, width=4) == "line"
    assert tail(tmp_path / "none", 2) == ""
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


def test_a_tail_can_leave_out_what_was_before(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("old\nnew\n")

    assert tail(log, 5, since=4) == "new"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:s3cret@h/d",
        "postgresql://h/d?user=u&password=s3cret",
        "https://u:s3cret@llm.example/v1?api_key=s3cret&x=1",
    ],
)
def test_no_secret_of_an_address_is_shown(url: str) -> None:
    assert "s3cret" not in without_password(url)


def test_the_record_is_for_the_owner_alone(tmp_path: Path) -> None:
    StackState(1, 2.0, WIRING).write(Home(tmp_path))

    assert Home(tmp_path).state.stat().st_mode & 0o077 == 0


def test_who_follows_another_start_ends_with_it(tmp_path: Path) -> None:
    other = hold(tmp_path)
    assert other.stdout
    assert other.stdout.readline() == "True\n"
    stack = Stack(tmp_path, {})
    ours = [sys.executable, "-c", f"raise SystemExit({NOT_ALONE})"]
    stack._process = subprocess.Popen(ours, text=True)
    stack._process.wait()
    assert not stack._has_ended()

    other.communicate("")

    assert stack._has_ended()
