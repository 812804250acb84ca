"""The parts of a native stack: what each runs, needs, and how it shows that it is ready."""

import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from deploy.native.demo_day import DEMO_SEED
from deploy.native.errors import StackError
from deploy.native.health import Health, http_ok, kafka_answers, postgres_answers
from deploy.native.ports import LOOPBACK
from deploy.native.wiring import (
    BROKER_SETTING,
    DATABASE_SETTING,
    KAFKA_SETTING,
    LLM_SETTING,
    MLFLOW_SETTING,
    Wiring,
)

_MOST_REPLICAS = 20
# Who only watches gets a third of the CPU that others get, where there is not enough for all.
_BEHIND = 5


class Layer(IntEnum):
    """Layers stop one after the other, the highest first."""

    DATABASE = 0
    LOG = 1
    WORLD = 2
    SERVICE = 3


@dataclass(frozen=True)
class Replica:
    """One process to be: which of how many, where the others are, and the settings."""

    wiring: Wiring
    env: Mapping[str, str]
    ordinal: int = 0


@dataclass(frozen=True)
class Part:
    """One kind of process. Without ``health`` it is a task: ready once it has ended well.

    ``setting`` points the part elsewhere: where it is set, nothing is started here. ``needs`` says
    what must be ready before, as far as it is started here.
    """

    name: str
    layer: Layer
    command: Callable[[Replica], list[str]]
    health: Callable[[Replica], Health] | None = None
    needs: tuple[str, ...] = ()
    setting: str | None = None
    has_port: bool = True
    scalable: bool = False
    # Made of our own modules: forked from the supervisor where that is possible.
    forked: bool = False
    # False where it is slow and on nobody's path: started when all others are ready.
    waited: bool = True
    nice: int = 0
    # Seconds on a free machine; this is for one where everything else runs too.
    start_limit_s: float = 180.0
    grace_s: float = 10.0
    stop_signal: signal.Signals = signal.SIGTERM


def _module(name: str, *arguments: object) -> list[str]:
    return [sys.executable, "-m", name, *map(str, arguments)]


def _kafka(of: Replica) -> list[str]:
    ports = of.wiring.port("kafka"), of.wiring.ports["kafka-controller"]
    return _module("deploy.native.kafka", of.wiring.home, *ports)


def _simulator(of: Replica) -> list[str]:
    port, record = of.wiring.port("simulator"), of.wiring.files.market_time
    command = _module("services.simulator", "--port", port, "--time-record", record)
    command += ["--seed", of.env.get("OPENBELL_SIMULATOR__SEED") or DEMO_SEED]
    if bars := of.env.get("OPENBELL_SIMULATOR__BARS"):
        command += ["--bars", bars]
    return command


def _http(part: str, path: str) -> Callable[[Replica], Health]:
    return lambda of: http_ok(of.wiring.port(part, of.ordinal), path)


def _service(name: str, *, scalable: bool, nice: int = 0) -> Part:
    def command(of: Replica) -> list[str]:
        return _module(
            "uvicorn",
            "--factory",
            f"services.{name}.main:build_app",
            *("--host", LOOPBACK, "--port", of.wiring.port(name, of.ordinal)),
            *("--no-access-log", "--log-level", "warning"),
        )

    return Part(
        name,
        Layer.SERVICE,
        command,
        health=_http(name, "/health/ready"),
        needs=("migrate", "topics"),
        scalable=scalable,
        forked=True,
        nice=nice,
    )


_ALL = (
    Part(
        "postgres",
        Layer.DATABASE,
        lambda of: _module("deploy.native.postgres", of.wiring.home),
        health=lambda of: postgres_answers(str(of.wiring.files.socket)),
        setting=DATABASE_SETTING,
        # "Fast": SIGTERM would wait until every client has gone by itself.
        stop_signal=signal.SIGINT,
        has_port=False,
    ),
    Part(
        "kafka",
        Layer.LOG,
        _kafka,
        health=lambda of: kafka_answers(of.wiring.port("kafka")),
        setting=KAFKA_SETTING,
    ),
    Part(
        "llm",
        Layer.WORLD,
        lambda of: _module("deploy.native.llm_server", "--port", of.wiring.port("llm")),
        health=_http("llm", "/health"),
        setting=LLM_SETTING,
    ),
    Part(
        "simulator",
        Layer.WORLD,
        _simulator,
        health=_http("simulator", "/__sim__/state"),
        setting=BROKER_SETTING,
    ),
    Part(
        "mlflow",
        Layer.WORLD,
        lambda of: _module("deploy.native.mlflow_server", of.wiring.home, of.wiring.port("mlflow")),
        health=_http("mlflow", "/health"),
        setting=MLFLOW_SETTING,
        waited=False,
        nice=_BEHIND,
    ),
    Part(
        "migrate",
        Layer.SERVICE,
        lambda _: _module("shared.migrations"),
        needs=("postgres",),
        has_port=False,
        forked=True,
    ),
    Part(
        "topics",
        Layer.SERVICE,
        lambda _: _module("shared.topics"),
        needs=("kafka",),
        has_port=False,
        forked=True,
    ),
    _service("api", scalable=True),
    _service("clock", scalable=True),
    # One process owns the broker's session; a second one would exit.
    _service("gateway", scalable=False),
    _service("marketdata", scalable=True),
    _service("signals", scalable=True),
    _service("execution", scalable=True),
    # One writes; a second one would only wait for its place.
    _service("tracker", scalable=False, nice=_BEHIND),
)
PARTS = {part.name: part for part in _ALL}


def plan(wanted: Iterable[str] | None, env: Mapping[str, str]) -> list[Part]:
    """Return the parts to start here: the wanted ones (all by default), less what is elsewhere."""
    names = list(PARTS) if wanted is None else list(wanted)
    if unknown := sorted(set(names) - set(PARTS)):
        msg = f"expected parts among {', '.join(PARTS)}, found {', '.join(unknown)}"
        raise StackError(msg)
    chosen = [part for part in _ALL if part.name in names]
    return [part for part in chosen if not (part.setting and env.get(part.setting))]


def check_scale(scale: Mapping[str, int]) -> None:
    """Refuse counts that cannot be. Raises StackError."""
    for name, count in scale.items():
        part = PARTS.get(name)
        if part is None or not part.scalable:
            able = ", ".join(part.name for part in _ALL if part.scalable)
            msg = f"--scale: expected one of {able}, found {name!r}"
            raise StackError(msg)
        if not 1 <= count <= _MOST_REPLICAS:
            msg = f"--scale {name}: expected 1 to {_MOST_REPLICAS}, found {count}"
            raise StackError(msg)
