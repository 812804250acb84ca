"""Kafka's classes, loaded and linked ahead of time: it then starts on half the processor time.

The archive (68 MB) is made once per machine by a short run of Kafka on throw-away storage, and is
kept beside the jars. It is a convenience: Java ignores one that does not fit, and without one
Kafka only starts more slowly.
"""

import asyncio
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from deploy.native.health import kafka_answers
from deploy.native.home import Home
from deploy.native.kafka import archive_path, command, format_storage, write_properties
from deploy.native.ports import Ports

_START_LIMIT_S = 60.0
# Writing the archive takes six seconds of a free machine, and longer on a busy one.
_WRITE_LIMIT_S = 120.0
_POLL_S = 0.1
_KEPT = 3


def ensure_archive(say: Callable[[str], None]) -> None:
    """Make the archive where there is none for these jars and this Java. Needs the jars."""
    target = archive_path()
    if target.exists():
        return
    say("Kafka: preparing for fast starts, once, some ten seconds")
    # Beside its place and renamed when complete; two who make it at once do not meet.
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".archive-") as scratch:
        made = Path(scratch) / target.name
        if _train(Home(Path(scratch)), made):
            made.replace(target)
            _forget_old(target.parent)
        else:
            say("Kafka: that failed; it will start more slowly, and it is tried again next time")


def _forget_old(folder: Path) -> None:
    """Keep the newest few: other checkouts may unpack a Java of their own."""
    archives = sorted(folder.glob("kafka-*.aot"), key=lambda path: path.stat().st_mtime)
    for archive in archives[:-_KEPT]:
        archive.unlink(missing_ok=True)


def _train(home: Home, target: Path) -> bool:
    home.make()
    ports = Ports()
    port, controller = ports.any_free(), ports.any_free()
    format_storage(home, port, controller)
    settings = write_properties(home.root / "kafka.properties", home.kafka, port, controller)
    line = command("kafka.Kafka", str(settings), archive=f"-XX:AOTCacheOutput={target}")
    with (home.logs / "kafka.log").open("wb") as log:
        process = subprocess.Popen(line, stdout=log, stderr=log)  # noqa: S603  # our own
    try:
        if not _wait_until_ready(process, port):
            return False
        process.terminate()
        process.wait(_WRITE_LIMIT_S)
    except subprocess.TimeoutExpired:
        return False
    finally:
        process.kill()
        process.wait()
    return target.exists()


def _wait_until_ready(process: "subprocess.Popen[bytes]", port: int) -> bool:
    answers, limit = kafka_answers(port), time.monotonic() + _START_LIMIT_S
    while time.monotonic() < limit and process.poll() is None:
        if asyncio.run(answers()):
            return True
        time.sleep(_POLL_S)
    return False
