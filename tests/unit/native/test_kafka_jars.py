import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.native import kafka_jars
from deploy.native.errors import StackError
from deploy.native.kafka_jars import Jar, ensure_jars, missing, read_lock

CONTENT = b"classes"
JAR = Jar("org.example", "tool", "1.0", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))

Serve = Callable[[bytes], list[str]]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(kafka_jars, "read_lock", lambda: [JAR])
    return tmp_path / "openbell" / "jars"


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Let a registry answer with some bytes; returns the list of what was asked for."""

    def serving(content: bytes) -> list[str]:
        asked: list[str] = []

        def download(scratch: Path) -> Callable[[Jar], Path]:
            def one(jar: Jar) -> Path:
                asked.append(jar.artifact)
                path = scratch / jar.file_name
                path.write_bytes(content)
                return path

            return one

        monkeypatch.setattr(kafka_jars, "_download", download)
        return asked

    return serving


def test_the_lock_names_every_jar_by_digest_and_size() -> None:
    jars = read_lock()

    assert "kafka_2.13-4.4.0.jar" in [jar.file_name for jar in jars]
    assert all(len(jar.sha256) == 64 and jar.size > 0 for jar in jars)
    assert [Jar.parse(str(jar)) for jar in jars] == jars


def test_an_absent_jar_is_fetched_and_said_before(cache: Path, serve: Serve) -> None:
    serve(CONTENT)
    said: list[str] = []

    path = ensure_jars(said.append)

    assert path == [cache / "tool-1.0.jar"]
    assert path[0].read_bytes() == CONTENT
    assert str(cache) in said[0]


def test_what_is_there_is_not_fetched_again(cache: Path, serve: Serve) -> None:
    asked = serve(CONTENT)
    ensure_jars(lambda _: None)

    said: list[str] = []
    ensure_jars(said.append)

    assert (asked, said) == (["tool"], [])
    assert [path.name for path in cache.iterdir()] == ["tool-1.0.jar"]


@pytest.mark.parametrize("damaged", [CONTENT[:3], b"clAsses", b""])
def test_a_damaged_jar_is_fetched_again(cache: Path, serve: Serve, damaged: bytes) -> None:
    serve(CONTENT)
    cache.mkdir(parents=True)
    (cache / JAR.file_name).write_bytes(damaged)

    assert missing([JAR], cache) == [JAR]
    assert ensure_jars(lambda _: None)[0].read_bytes() == CONTENT


def test_other_bytes_from_the_registry_are_refused(cache: Path, serve: Serve) -> None:
    serve(b"trojans")

    with pytest.raises(StackError, match="expected sha256:"):
        ensure_jars(lambda _: None)
    assert not list(cache.iterdir())


def test_a_registry_out_of_reach_is_one_plain_line(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(StackError) as error:
        ensure_jars(lambda _: None)

    assert "check network and proxy" in str(error.value)
    assert "\n" not in str(error.value)
    assert not list(cache.iterdir())
