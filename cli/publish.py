"""``publish``: one message onto a topic as it stands; no headers, nothing added, nothing judged."""

import asyncio
import json
import logging
import os
import sys
from dataclasses import dataclass
from typing import Annotated

import typer
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from cli import target
from cli.errors import CommandError, Exit
from cli.terminal import AsJson, print_json

app = typer.Typer()
# What Kafka itself takes by default; our own client stops at less.
_MAX_BYTES = 1_048_588
_ANSWER_MS = 10_000


@dataclass(frozen=True)
class Place:
    """Where a message was put."""

    topic: str
    partition: int
    offset: int


@app.command()
def publish(
    topic: Annotated[str, typer.Argument(help="Such as run.requested.")],
    body: Annotated[
        str, typer.Argument(metavar="[JSON|-]", help="The message; - reads standard input.")
    ] = "-",
    *,
    as_json: AsJson = False,
) -> None:
    """Write a message to a topic with no headers, as any Kafka client would."""
    raw = sys.stdin.buffer.read() if body == "-" else os.fsencode(body)
    place = put(target.kafka_servers(), topic, raw)
    if as_json:
        print_json(vars(place))
    else:
        typer.echo(f"{place.topic}: partition {place.partition}, offset {place.offset}")


def put(servers: str, topic: str, body: bytes) -> Place:
    """Write a message and return its place once all replicas have it.

    The key is the body's ``run_id`` where that is a string. Raises CommandError.
    """
    # What it logs, the error below says in one line.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        return asyncio.run(_put(servers, topic, body))
    except MessageSizeTooLargeError as e:
        msg = (
            f"expected a message that Kafka takes (about {_MAX_BYTES} bytes), found {len(body)} "
            "bytes; send less"
        )
        raise CommandError(msg, Exit.REFUSED) from e
    except KafkaError as e:
        msg = f"expected Kafka at {servers}, found {type(e).__name__}; run './openbell up'"
        raise CommandError(msg) from e


async def _put(servers: str, topic: str, body: bytes) -> Place:
    producer = AIOKafkaProducer(
        bootstrap_servers=servers.split(","),
        acks="all",
        request_timeout_ms=_ANSWER_MS,
        max_request_size=_MAX_BYTES,
    )
    try:
        await producer.start()
        # Asked for by name, an unknown topic would be waited for, or made.
        known = (await producer.client.fetch_all_metadata()).topics()
        if topic not in known:
            names = ", ".join(sorted(known)) or "none"
            msg = f"expected a topic that exists ({names}), found {topic!r}"
            raise CommandError(msg, Exit.REFUSED)
        sent = await producer.send_and_wait(topic, body, key=key_of(body))
        return Place(sent.topic, sent.partition, sent.offset)
    finally:
        await producer.stop()


def key_of(body: bytes) -> bytes | None:
    """Return the Kafka key of a body: its ``run_id`` where it is a JSON object that has one."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return None
    run_id = fields.get("run_id") if isinstance(fields, dict) else None
    return run_id.encode("utf-8", "surrogatepass") if isinstance(run_id, str) else None
