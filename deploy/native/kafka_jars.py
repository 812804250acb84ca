"""Kafka's jars: exactly those of ``deploy/kafka/jars.lock``, each verified by its SHA-256.

The lock was resolved once by Maven; here nothing is resolved, only fetched, into a cache that all
checkouts share. ``python -m deploy.native.kafka_jars --relock`` writes the lock anew (needs mvn).
"""

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from deploy.native.errors import StackError

_KAFKA = Path(__file__).parents[1] / "kafka"
LOCK = _KAFKA / "jars.lock"
POM = _KAFKA / "pom.xml"
_FETCHERS = 8
_TIMEOUT_S = 30


@dataclass(frozen=True)
class Jar:
    """One line of the lock: ``group:artifact:version sha256:HEX BYTES``."""

    group: str
    artifact: str
    version: str
    sha256: str
    size: int

    @property
    def file_name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"

    def __str__(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version} sha256:{self.sha256} {self.size}"

    @classmethod
    def parse(cls, line: str) -> "Jar":
        """Read a line of the lock."""
        coordinate, digest, size = line.split()
        group, artifact, version = coordinate.split(":")
        return cls(group, artifact, version, digest.removeprefix("sha256:"), int(size))


def read_lock(path: Path = LOCK) -> list[Jar]:
    """Return the jars that Kafka runs on, in the order of its class path."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Jar.parse(line) for line in lines if line and not line.startswith("#")]


def cache_dir() -> Path:
    """Return where the jars are kept; shared by all checkouts of this user."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "openbell" / "jars"


def is_intact(jar: Jar, path: Path) -> bool:
    """Whether ``path`` holds exactly the bytes that the lock names."""
    if not path.is_file() or path.stat().st_size != jar.size:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256


def missing(jars: Sequence[Jar], cache: Path) -> list[Jar]:
    """Return the jars that are absent or damaged."""
    with ThreadPoolExecutor(_FETCHERS) as pool:
        intact = pool.map(lambda jar: is_intact(jar, cache / jar.file_name), jars)
        return [jar for jar, whole in zip(jars, intact, strict=True) if not whole]


def ensure_jars(say: Callable[[str], None]) -> list[Path]:
    """Return the class path, fetching what is absent or damaged; ``say`` is told before it starts.

    Safe to call from several processes at once. Raises StackError where a jar cannot be had.
    """
    jars, cache = read_lock(), cache_dir()
    wanted = missing(jars, cache)
    if wanted:
        megabytes = sum(jar.size for jar in wanted) / 1e6
        say(f"Kafka: fetching {len(wanted)} jars, {megabytes:.0f} MB, to {cache}")
        _fetch(wanted, cache)
    return [cache / jar.file_name for jar in jars]


def _fetch(jars: Sequence[Jar], cache: Path) -> None:
    cache.mkdir(parents=True, exist_ok=True)
    # A scratch of our own on the same file system, so that each jar appears whole by a rename.
    with (
        tempfile.TemporaryDirectory(dir=cache, prefix=".fetch-") as scratch,
        ThreadPoolExecutor(_FETCHERS) as pool,
    ):
        fetched = pool.map(_download(Path(scratch)), jars)
        for jar, path in zip(jars, fetched, strict=True):
            if not is_intact(jar, path):
                msg = (
                    f"{jar.file_name}: expected sha256:{jar.sha256}, the registry sent other "
                    "bytes; check the network between here and the Maven registry, then retry"
                )
                raise StackError(msg)
            path.replace(cache / jar.file_name)


def _download(scratch: Path) -> Callable[[Jar], Path]:
    # Imported here: it takes a third of a second and is needed once per machine.
    import requests  # noqa: PLC0415
    from jgo.maven import MavenContext  # noqa: PLC0415

    context = MavenContext(repo_cache=scratch, timeout=_TIMEOUT_S)

    def download(jar: Jar) -> Path:
        component = context.project(jar.group, jar.artifact).at_version(jar.version)
        try:
            return Path(component.artifact().resolve())
        except (requests.RequestException, RuntimeError, OSError) as e:
            msg = (
                f"the Maven registry was expected to send {jar.file_name}, "
                f"found {type(e).__name__}; check network and proxy (HTTPS_PROXY), then retry"
            )
            raise StackError(msg) from e

    return download


def relock() -> list[Jar]:
    """Let Maven resolve ``pom.xml`` and write the lock. For maintainers."""
    with tempfile.TemporaryDirectory() as scratch:
        listing = Path(scratch) / "list.txt"
        maven = ["mvn", "-B", "-q", "-f", str(POM)]
        runtime = "-DincludeScope=runtime"
        _run([*maven, "dependency:list", runtime, f"-DoutputFile={listing}"])
        _run([*maven, "dependency:copy-dependencies", runtime, f"-DoutputDirectory={scratch}"])
        lines = [line.split()[0] for line in listing.read_text().splitlines() if ":jar:" in line]
        jars = sorted((_locked(line, Path(scratch)) for line in lines), key=str)
    header = "# Written by `python -m deploy.native.kafka_jars --relock` from pom.xml.\n"
    LOCK.write_text(header + "".join(f"{jar}\n" for jar in jars), encoding="utf-8")
    return jars


def _locked(line: str, folder: Path) -> Jar:
    group, artifact, _, version, _ = line.split(":")
    content = (folder / f"{artifact}-{version}.jar").read_bytes()
    return Jar(group, artifact, version, hashlib.sha256(content).hexdigest(), len(content))


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True)  # noqa: S603  # our own command line


if __name__ == "__main__":
    if sys.argv[1:] != ["--relock"]:
        sys.exit("usage: python -m deploy.native.kafka_jars --relock")
    sys.stdout.write(f"{LOCK}: {len(relock())} jars\n")
