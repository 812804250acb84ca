"""Who listens where: decided once per start, kept while the stack lives, restarts included."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deploy.native.errors import RefusedError, StackError
from deploy.native.home import Home
from deploy.native.ports import LOOPBACK, Ports

KAFKA_SETTING = "OPENBELL_KAFKA__BOOTSTRAP_SERVERS"
DATABASE_SETTING = "OPENBELL_DATABASE__URL"
LLM_SETTING = "OPENBELL_LLM__BASE_URL"
BROKER_SETTING = "OPENBELL_IBKR__BASE_URL"
MLFLOW_SETTING = "OPENBELL_MLFLOW__TRACKING_URI"

BUNDLED_MODEL = "SmolLM2-135M-Instruct"
_API_PORT = 8000
_KAFKA_PORT = 9092
_MLFLOW_PORT = 5500


@dataclass(frozen=True)
class Wiring:
    """Addresses of one stack. Plain values, so that it travels in ``stack.json``."""

    home: str
    kafka_servers: str
    database_url: str
    llm_url: str
    llm_model: str | None
    broker_url: str
    simulated: bool
    mlflow_uri: str = ""
    ports: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def files(self) -> Home:
        return Home(Path(self.home))

    def port(self, part: str, replica: int = 0) -> int:
        """Return the port of a replica; 0 where it has none."""
        return self.ports.get(f"{part}-{replica}", 0)

    def url(self, part: str) -> str:
        """Return the address of a part's first replica."""
        return f"http://{LOOPBACK}:{self.port(part)}"


def wire(home: Home, env: Mapping[str, str], replicas: Mapping[str, int]) -> Wiring:
    """Choose ports for ``replicas`` (count by part) and the addresses that follow from them."""
    simulated = not env.get(BROKER_SETTING)
    if not simulated and home.market_time.exists():
        msg = (
            f"{BROKER_SETTING} names a real broker, but {home.root} holds events of the demo "
            "market; set OPENBELL_HOME to another directory"
        )
        raise RefusedError(msg)
    ports, notes = _choose_ports(env, replicas)
    return Wiring(
        home=str(home.root),
        kafka_servers=env.get(KAFKA_SETTING) or f"{LOOPBACK}:{ports.get('kafka-0', 0)}",
        database_url=env.get(DATABASE_SETTING)
        or f"postgresql://postgres@/openbell?host={home.sockets}",
        llm_url=env.get(LLM_SETTING) or f"http://{LOOPBACK}:{ports.get('llm-0', 0)}/v1",
        llm_model=env.get("OPENBELL_LLM__MODEL")
        or (None if env.get(LLM_SETTING) else BUNDLED_MODEL),
        broker_url=env.get(BROKER_SETTING)
        or f"http://{LOOPBACK}:{ports.get('simulator-0', 0)}/v1/api",
        simulated=simulated,
        mlflow_uri=env.get(MLFLOW_SETTING) or f"http://{LOOPBACK}:{ports.get('mlflow-0', 0)}",
        ports=ports,
        notes=notes,
    )


def _choose_ports(
    env: Mapping[str, str], replicas: Mapping[str, int]
) -> tuple[dict[str, int], list[str]]:
    chooser, ports, notes = Ports(), {}, []
    wanted = {
        "api": _number(env, "OPENBELL_API__PORT", _API_PORT),
        "kafka": _number(env, "OPENBELL_KAFKA__PORT", _KAFKA_PORT),
        "mlflow": _number(env, "OPENBELL_MLFLOW__PORT", _MLFLOW_PORT),
    }
    for part, count in replicas.items():
        for replica in range(count):
            if part in wanted and replica == 0:
                port = chooser.next_free(wanted[part])
                if wanted[part] not in (0, port):
                    notes.append(f"port {wanted[part]} is taken: {part} is on {port}")
            else:
                port = chooser.any_free()
            ports[f"{part}-{replica}"] = port
    if "kafka" in replicas:
        ports["kafka-controller"] = chooser.any_free()
    return ports, notes


def _number(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name, "")
    if text and not (text.isdigit() and int(text) < 2**16):
        msg = f"{name}: expected a port number, found {text!r}; 0 means any free one"
        raise StackError(msg)
    return int(text) if text else default
