"""FastStream and aiokafka with the defaults that are right for us, set in one place."""

import dataclasses
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiokafka import ConsumerRebalanceListener, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient
from faststream import AckPolicy
from faststream.kafka import KafkaBroker, KafkaMessage
from faststream.kafka.subscriber.usecase import DefaultSubscriber

from shared.envelope import Message, text_headers
from shared.lenient_records import read_any_header_name
from shared.settings import Settings
from shared.topics import MAX_MESSAGE_BYTES, Topic

# Kafka forgets a dead member after this; one with the same name is back at once.
SESSION_TIMEOUT_MS = 6_000
# A handler that waits for our own storage may take long; it must not lose its partitions for it.
MAX_POLL_INTERVAL_MS = 1_800_000
# aiokafka has one fetch under way per broker, and leaves out of it the partitions whose records
# are still being handed over: a record on one of those waits until that fetch is over. With one
# partition there is nothing to leave out, and a fetch may wait long, which costs nothing.
FETCH_MAX_WAIT_MS = 25
FETCH_MAX_WAIT_OF_ONE_MS = 500
# Here, because all who read the bus import this.
read_any_header_name()


def make_broker(settings: Settings, *, service: str, middlewares: Any = ()) -> KafkaBroker:
    """Return the broker of a process; nothing connects yet."""
    return KafkaBroker(
        settings.kafka.bootstrap_servers.split(","),
        client_id=f"{service}-{settings.ordinal}",
        acks="all",
        enable_idempotence=True,
        linger_ms=0,
        max_request_size=2 * MAX_MESSAGE_BYTES,
        request_timeout_ms=10_000,
        allow_auto_create_topics=False,
        graceful_timeout=8.0,
        middlewares=middlewares,
        logger=logging.getLogger("openbell.bus"),
        log_level=logging.DEBUG,
    )


async def _tolerant_parser(record: Any, original: Callable[[Any], Awaitable[Any]]) -> Any:
    """Let headers that are no UTF-8 through as escaped text: the stage judges the message."""
    clean = tuple((name, value.encode()) for name, value in text_headers(record.headers).items())
    message = await original(dataclasses.replace(record, headers=clean))
    message.raw_message = record
    return message


async def _raw_body(message: KafkaMessage) -> bytes:
    return message.body


def subscribe(
    broker: KafkaBroker,
    topic: Topic[Any],
    *,
    group: str,
    ordinal: str,
    listener: ConsumerRebalanceListener | None = None,
) -> DefaultSubscriber:
    """Return a subscriber with manual acks: the only way in which anything here subscribes."""
    return broker.subscriber(
        topic.name,
        group_id=group,
        group_instance_id=f"{group}-{ordinal}",
        ack_policy=AckPolicy.MANUAL,
        auto_offset_reset="earliest",
        session_timeout_ms=SESSION_TIMEOUT_MS,
        heartbeat_interval_ms=1_500,
        max_poll_interval_ms=MAX_POLL_INTERVAL_MS,
        fetch_max_wait_ms=(
            FETCH_MAX_WAIT_OF_ONE_MS if topic.partitions == 1 else FETCH_MAX_WAIT_MS
        ),
        parser=_tolerant_parser,
        decoder=_raw_body,
        listener=listener,
        # Else what a handler returns would go to the topic that a stranger's header names.
        no_reply=True,
    )


async def publish(broker: KafkaBroker, message: Message) -> None:
    """Publish recorded bytes and wait until all replicas have them. Raises KafkaError."""
    await broker.publish(
        message.body.encode(),
        message.topic,
        key=message.key.encode(),
        headers=message.headers,
        correlation_id=message.headers["ce_id"],
    )


async def cluster_id(bootstrap_servers: str) -> str:
    """Return the id of the Kafka cluster. Raises KafkaError."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers.split(","))
    await admin.start()
    try:
        return str((await admin.describe_cluster())["cluster_id"])
    finally:
        await admin.close()


def raw(message: KafkaMessage) -> "ConsumerRecord[bytes, bytes]":
    """Return the record of a message as it came."""
    record: ConsumerRecord[bytes, bytes] = message.raw_message
    return record
