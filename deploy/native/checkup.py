"""What ``doctor`` looks at on the machine: everything that a stack stands on before it starts."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from deploy.native.errors import StackError
from deploy.native.home import CHECKOUT, Home
from deploy.native.kafka import java
from deploy.native.kafka_jars import cache_dir, missing, read_lock
from deploy.native.llm_server import weights

_OLDEST_PYTHON = (3, 11)
_LEAST_DISK_GB = 1.0
_LEAST_MEMORY_GB = 2.0
_LEAST_CORES = 2
_RENEW = "delete .venv and run ./openbell again"


@dataclass(frozen=True)
class Finding:
    """One line of the doctor. ``advice`` says what to do where it is not ``ok``."""

    name: str
    ok: bool
    detail: str
    advice: str = ""


def examine_machine(home: Home) -> Iterator[Finding]:
    """Yield what was found, one finding at a time, so that it can be shown as it comes."""
    yield _python()
    yield _environment()
    yield _disk(home)
    yield _cores()
    yield _memory()
    yield _java()
    yield _jars()
    yield _model()


def _python() -> Finding:
    found = platform.python_version()
    return Finding("python", sys.version_info >= _OLDEST_PYTHON, found, "install Python 3.11+")


def _environment() -> Finding:
    expected = CHECKOUT / ".venv"
    ok = Path(sys.prefix).resolve() == expected.resolve()
    return Finding("environment", ok, sys.prefix, f"run ./openbell: it uses {expected}")


def _disk(home: Home) -> Finding:
    folder = next(folder for folder in (home.root, *home.root.parents) if folder.exists())
    free = shutil.disk_usage(folder).free / 1e9
    detail = f"{free:.1f} GB free at {folder}"
    return Finding("disk", free >= _LEAST_DISK_GB, detail, f"make room: {_LEAST_DISK_GB} GB")


def _cores() -> Finding:
    count = os.cpu_count() or 1
    ok = count >= _LEAST_CORES
    return Finding("cores", ok, str(count), f"{_LEAST_CORES} are needed to start in time")


def _memory() -> Finding:
    free = psutil.virtual_memory().available / 1e9
    ok = free >= _LEAST_MEMORY_GB
    return Finding("memory", ok, f"{free:.1f} GB available", f"free up {_LEAST_MEMORY_GB} GB")


def _java() -> Finding:
    try:
        line = [str(java()), "-version"]
        ran = subprocess.run(line, capture_output=True, text=True, check=False)  # noqa: S603  # ours
    except (OSError, StackError) as e:
        return Finding("java", ok=False, detail=str(e), advice=_RENEW)
    version = (ran.stderr.splitlines() or ["no answer"])[0]
    return Finding("java", ran.returncode == 0, version, _RENEW)


def _jars() -> Finding:
    jars = read_lock()
    lacking = missing(jars, cache_dir())
    detail = f"{len(jars) - len(lacking)} of {len(jars)} verified in {cache_dir()}"
    return Finding("kafka jars", not lacking, detail, "openbell up fetches them")


def _model() -> Finding:
    try:
        found = weights()
    except StackError as e:
        return Finding("model", ok=False, detail=str(e), advice=_RENEW)
    return Finding("model", found.is_file(), found.name, _RENEW)
