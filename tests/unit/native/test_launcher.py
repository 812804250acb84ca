import importlib.util
import shutil
from collections import namedtuple
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

from deploy.native.home import CHECKOUT


@pytest.fixture
def launcher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The launcher as a module, in a checkout of its own with nothing set up."""
    loader = SourceFileLoader("launcher", str(CHECKOUT / "openbell"))
    spec = importlib.util.spec_from_loader("launcher", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setattr("sys.dont_write_bytecode", True)  # no cache beside the launcher
    loader.exec_module(module)
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "python").touch()
    for name, path in (
        ("ROOT", "."),
        ("VENV", ".venv"),
        ("PYTHON", ".venv/bin/python"),
        ("STAMP", ".venv/openbell.stamp"),
        ("LOCK", "requirements.lock"),
        ("INSTALLER_LOCK", "installer.lock"),
    ):
        monkeypatch.setattr(module, name, str(tmp_path / path))
    for name in ("requirements.lock", "installer.lock"):
        (tmp_path / name).write_text(name)
    return module


def test_a_stamp_of_the_same_locks_means_set_up(launcher: ModuleType) -> None:
    wanted = launcher.fingerprint(launcher.LOCK, launcher.INSTALLER_LOCK)
    assert not launcher.is_set_up(wanted)

    Path(launcher.STAMP).write_text(wanted)

    assert launcher.is_set_up(wanted)


def test_a_changed_lock_is_set_up_again(launcher: ModuleType) -> None:
    Path(launcher.STAMP).write_text(launcher.fingerprint(launcher.LOCK, launcher.INSTALLER_LOCK))

    Path(launcher.LOCK).write_text("other")

    assert not launcher.is_set_up(launcher.fingerprint(launcher.LOCK, launcher.INSTALLER_LOCK))


def test_an_interrupted_set_up_leaves_no_stamp_and_is_taken_up_again(
    launcher: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(launcher.STAMP).write_text("of an older lock")
    monkeypatch.setattr(launcher, "check_machine", lambda: None)
    monkeypatch.setattr(launcher, "make_environment", lambda: None)

    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(launcher, "install", interrupted)
    with pytest.raises(KeyboardInterrupt):
        launcher.set_up("wanted")
    assert not Path(launcher.STAMP).exists()

    monkeypatch.setattr(launcher, "install", lambda: None)
    launcher.set_up("wanted")
    assert launcher.is_set_up("wanted")


def test_an_old_python_is_told_so(launcher: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "OLDEST", (99, 0))

    with pytest.raises(SystemExit, match=r"expected Python 3\.11 or newer, found 3\."):
        launcher.main()


def test_a_missing_venv_module_is_named(
    launcher: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    with pytest.raises(SystemExit, match="apt-get install python3-venv"):
        launcher.check_machine()


def test_a_full_disk_is_told_before_anything_is_fetched(
    launcher: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "free")  # noqa: PYI024  # as shutil's
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(100_000_000))

    with pytest.raises(SystemExit, match=r"expected 3600 MB of free disk.*found 100 MB"):
        launcher.check_machine()


def test_a_failed_step_is_one_line(launcher: ModuleType) -> None:
    with pytest.raises(SystemExit) as error:
        launcher.run(["sh", "-c", "echo a; echo 'no route' >&2; exit 3"], "a registry", "retry")

    assert str(error.value) == "openbell: expected a registry, found: no route; retry"
