import importlib
from typing import Any

import pytest
from faststream import AckPolicy
from faststream.kafka import KafkaBroker

from shared import kafka, service

SERVICES = ("api", "clock", "gateway", "marketdata", "signals", "execution")


@pytest.fixture(params=SERVICES)
def broker(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> KafkaBroker:
    made: list[KafkaBroker] = []
    original = kafka.make_broker

    def remember(*args: Any, **options: Any) -> KafkaBroker:
        made.append(original(*args, **options))
        return made[-1]

    monkeypatch.setattr(service, "make_broker", remember)
    monkeypatch.setenv("OPENBELL_IBKR__BASE_URL", "http://127.0.0.1:1/v1/api")
    monkeypatch.setenv("OPENBELL_GATEWAY__URL", "http://127.0.0.1:1")
    monkeypatch.setenv("OPENBELL_GATEWAY__MARKETDATA_SECRET", "m" * 16)
    monkeypatch.setenv("OPENBELL_GATEWAY__EXECUTION_SECRET", "e" * 16)
    importlib.import_module(f"services.{request.param}.main").build_app()
    return made[0]


def test_every_subscriber_has_the_defaults_that_are_right_for_us(broker: KafkaBroker) -> None:
    assert broker.subscribers
    for subscriber in broker.subscribers:
        arguments: dict[str, Any] = subscriber._connection_args  # type: ignore[attr-defined]
        assert subscriber.ack_policy is AckPolicy.MANUAL
        assert subscriber._no_reply
        assert subscriber.group_id  # type: ignore[attr-defined]
        assert arguments["enable_auto_commit"] is False
        assert arguments["auto_offset_reset"] == "earliest"
        assert arguments["group_instance_id"].startswith(subscriber.group_id)  # type: ignore[attr-defined]


def test_the_producer_loses_and_doubles_nothing(broker: KafkaBroker) -> None:
    options: dict[str, Any] = broker._connection_kwargs
    assert options["acks"] == "all"
    assert options["enable_idempotence"] is True
    assert options["linger_ms"] == 0
