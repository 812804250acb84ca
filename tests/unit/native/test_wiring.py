import socket
from pathlib import Path

import pytest

from deploy.native.errors import RefusedError, StackError
from deploy.native.home import Home
from deploy.native.ports import LOOPBACK
from deploy.native.wiring import wire

ANY_PORTS = {"OPENBELL_API__PORT": "0", "OPENBELL_KAFKA__PORT": "0"}


def test_every_replica_has_a_port_of_its_own(tmp_path: Path) -> None:
    wiring = wire(Home(tmp_path), ANY_PORTS, {"api": 1, "kafka": 1, "signals": 3})

    assert len(set(wiring.ports.values())) == 6  # and the controller's
    assert wiring.kafka_servers == f"127.0.0.1:{wiring.port('kafka')}"
    assert wiring.notes == []


def test_a_taken_port_is_replaced_and_said(tmp_path: Path) -> None:
    with socket.socket() as server:
        server.bind((LOOPBACK, 0))
        server.listen()
        taken = server.getsockname()[1]

        wiring = wire(Home(tmp_path), {"OPENBELL_API__PORT": str(taken)}, {"api": 1})

    assert wiring.port("api") != taken
    assert wiring.notes == [f"port {taken} is taken: api is on {wiring.port('api')}"]


def test_settings_point_parts_elsewhere(tmp_path: Path) -> None:
    env = {
        "OPENBELL_KAFKA__BOOTSTRAP_SERVERS": "kafka.example:9092",
        "OPENBELL_DATABASE__URL": "postgresql://me@db.example/x",
        "OPENBELL_LLM__BASE_URL": "https://llm.example/v1",
        "OPENBELL_IBKR__BASE_URL": "https://localhost:5000/v1/api",
        "OPENBELL_MLFLOW__TRACKING_URI": "https://mlflow.example",
    }

    wiring = wire(Home(tmp_path), env | ANY_PORTS, {"api": 1})

    assert wiring.kafka_servers == "kafka.example:9092"
    assert wiring.database_url == "postgresql://me@db.example/x"
    assert wiring.llm_model is None
    assert wiring.mlflow_uri == "https://mlflow.example"
    assert not wiring.simulated


def test_a_real_broker_is_refused_in_a_home_of_the_demo_market(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.market_time.write_text("{}")

    with pytest.raises(RefusedError, match="OPENBELL_HOME"):
        wire(home, {"OPENBELL_IBKR__BASE_URL": "https://localhost:5000"}, {})


@pytest.mark.parametrize("port", ["abc", "-1", "70000"])
def test_a_port_that_is_none_is_refused(tmp_path: Path, port: str) -> None:
    with pytest.raises(StackError, match="OPENBELL_API__PORT"):
        wire(Home(tmp_path), {"OPENBELL_API__PORT": port}, {"api": 1})


def test_the_socket_of_a_deep_home_is_in_a_short_place(tmp_path: Path) -> None:
    deep = Home(tmp_path / ("deep" * 40))

    assert len(str(deep.socket)) < 100
    assert deep.sockets != Home(tmp_path / ("well" * 40)).sockets
