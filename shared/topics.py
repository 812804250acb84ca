"""Every topic, declared once: name, event, partitions, retention, compaction.

``python -m shared.topics`` creates what is missing and refuses what differs.
"""

import asyncio
import sys
from dataclasses import dataclass
from typing import Generic, TypeVar

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from shared.events.base import Event
from shared.events.dead_letter import DeadLetter
from shared.events.evidence import EvidenceCaptured
from shared.events.order import OrderChanged
from shared.events.request import RunRequested
from shared.events.run import (
    RunAccepted,
    RunBrokerReady,
    RunFinished,
    RunMarketOpen,
    RunRejected,
    RunWaiting,
    StepFailed,
)
from shared.events.signal import SignalChecked
from shared.events.state import (
    BrokerSession,
    ControlSwitch,
    MarketSession,
    StrategyCurrent,
)
from shared.settings import Settings

E_co = TypeVar("E_co", bound=Event, covariant=True)

_DAY_MS = 86_400_000
_RETENTION_MS = 30 * _DAY_MS
# Replicas of a topic where the cluster has as many brokers.
_COPIES = 3
# The largest record that any topic takes: a dead letter holds another record, grown by base64.
MAX_MESSAGE_BYTES = 4_194_304
# What Kafka takes by default, less what a record is wrapped in.
_DEFAULT_LIMIT_BYTES = 1_040_000
# How soon the active segment of a state topic may be compacted, so that readers start quickly.
_SEGMENT_MS = 3_600_000


@dataclass(frozen=True)
class Topic(Generic[E_co]):
    """A topic and the one event type on it. ``state``: compacted, the newest per key counts.

    Several partitions only where the work on a message is slow, so that members share it; one
    elsewhere: it keeps the order, and a reader of one partition waits for nothing.
    """

    name: str
    event: type[E_co]
    # What the key is, in words: events of one key stay in order.
    key: str
    partitions: int = 1
    state: bool = False
    max_message_bytes: int | None = None

    @property
    def limit_bytes(self) -> int:
        """Return how large a message of ours may be."""
        return self.max_message_bytes or _DEFAULT_LIMIT_BYTES

    @property
    def configs(self) -> dict[str, str]:
        """Return the broker's settings of this topic."""
        if self.state:
            kept = {"min.cleanable.dirty.ratio": "0.1", "segment.ms": str(_SEGMENT_MS)}
            return kept | self.required
        return {"retention.ms": str(_RETENTION_MS)} | self.required

    @property
    def required(self) -> dict[str, str]:
        """Return those without which nothing works; of the others an operator may choose."""
        policy = {"cleanup.policy": "compact" if self.state else "delete"}
        if self.max_message_bytes is None:
            return policy
        return policy | {"max.message.bytes": str(self.max_message_bytes)}


RUN_REQUESTED = Topic("run.requested", RunRequested, "any, or none")
RUN_ACCEPTED = Topic("run.accepted", RunAccepted, "run_id")
RUN_REJECTED = Topic("run.rejected", RunRejected, "run_id")
RUN_WAITING = Topic("run.waiting", RunWaiting, "run_id")
RUN_MARKET_OPEN = Topic("run.market-open", RunMarketOpen, "run_id")
RUN_BROKER_READY = Topic("run.broker-ready", RunBrokerReady, "run_id", partitions=6)
EVIDENCE_CAPTURED = Topic("evidence.captured", EvidenceCaptured, "run_id:symbol", partitions=6)
SIGNAL_CHECKED = Topic("signal.checked", SignalChecked, "run_id:symbol")
ORDER_CHANGED = Topic("order.changed", OrderChanged, "account")
STEP_FAILED = Topic("step.failed", StepFailed, "run_id")
RUN_FINISHED = Topic("run.finished", RunFinished, "run_id")
DEAD_LETTER = Topic(
    "dead.letter", DeadLetter, "topic:partition:offset", max_message_bytes=MAX_MESSAGE_BYTES
)
MARKET_SESSION = Topic("market.session", MarketSession, "exchange", state=True)
BROKER_SESSION = Topic("broker.session", BrokerSession, "`broker`", state=True)
STRATEGY_CURRENT = Topic("strategy.current", StrategyCurrent, "strategy id", state=True)
CONTROL_SWITCH = Topic("control.switch", ControlSwitch, "scope", state=True)

ALL: tuple[Topic[Event], ...] = (
    RUN_REQUESTED,
    RUN_ACCEPTED,
    RUN_REJECTED,
    RUN_WAITING,
    RUN_MARKET_OPEN,
    RUN_BROKER_READY,
    EVIDENCE_CAPTURED,
    SIGNAL_CHECKED,
    ORDER_CHANGED,
    STEP_FAILED,
    RUN_FINISHED,
    DEAD_LETTER,
    MARKET_SESSION,
    BROKER_SESSION,
    STRATEGY_CURRENT,
    CONTROL_SWITCH,
)
BY_EVENT = {topic.event: topic for topic in ALL}
BY_NAME = {topic.name: topic for topic in ALL}


class TopicDiffers(Exception):  # noqa: N818  # reads as what happened
    """A topic exists and is not as declared."""


async def ensure_topics(bootstrap_servers: str) -> list[str]:
    """Create the topics that are missing; return their names.

    Raises TopicDiffers where one exists with other partitions or without a setting that is
    required, and KafkaError where the broker refuses or cannot be reached.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        known = {t["topic"]: t for t in await admin.describe_topics() if not t["error_code"]}
        _refuse_other_partitions({n: len(t["partitions"]) for n, t in known.items()})
        await _refuse_other_settings(admin, [t for t in ALL if t.name in known])
        missing = [topic for topic in ALL if topic.name not in known]
        if missing:
            brokers = (await admin.describe_cluster())["brokers"]
            await _create(admin, missing, copies=min(_COPIES, len(brokers)))
        return [topic.name for topic in missing]
    finally:
        await admin.close()


def _refuse_other_partitions(found: dict[str, int]) -> None:
    for topic in ALL:
        if topic.name in found and found[topic.name] != topic.partitions:
            msg = (
                f"topic {topic.name}: expected {topic.partitions} partitions, "
                f"found {found[topic.name]}; keys would move: use another cluster"
            )
            raise TopicDiffers(msg)


async def _refuse_other_settings(admin: AIOKafkaAdminClient, topics: list[Topic[Event]]) -> None:
    if not topics:
        return
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic.name) for topic in topics]
    for response in await admin.describe_configs(resources):
        for resource in response.resources:
            name, entries = resource[3], {entry[0]: entry[1] for entry in resource[4]}
            for key, wanted in BY_NAME[name].required.items():
                if entries[key] != wanted:
                    msg = f"topic {name}: expected {key}={wanted}, found {entries[key]}; alter it"
                    raise TopicDiffers(msg)


async def _create(admin: AIOKafkaAdminClient, topics: list[Topic[Event]], *, copies: int) -> None:
    response = await admin.create_topics(
        [
            NewTopic(topic.name, topic.partitions, copies, topic_configs=dict(topic.configs))
            for topic in topics
        ]
    )
    already_there = 36
    for name, code, why in (error[:3] for error in response.topic_errors):
        if code not in (0, already_there):
            msg = f"topic {name} could not be created: {why} (code {code})"
            raise TopicDiffers(msg)


def main() -> int:
    """Create the topics of the configured cluster."""
    try:
        made = asyncio.run(ensure_topics(Settings().kafka.bootstrap_servers))
    except TopicDiffers as e:
        sys.stderr.write(f"{e}\n")
        return 1
    sys.stdout.write(f"topics: {len(ALL)} declared, {len(made)} created\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
