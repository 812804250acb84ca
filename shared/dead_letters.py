"""The dead letter of a record that nobody can use."""

import base64
from typing import Any

from aiokafka import ConsumerRecord

from shared.envelope import text_headers
from shared.events.dead_letter import DeadLetter
from shared.failures import PoisonError

# A record as Kafka takes it by default is kept whole. One that was compressed can be larger than
# any letter; what is cut off is still at its place in its topic.
_KEPT_BYTES = 1_100_000
_KEPT_OF_HEADER = 1_000
_KEPT_HEADERS = 20


def dead_letter(
    record: "ConsumerRecord[bytes, bytes]",
    why: PoisonError,
    *,
    service: str,
    stamp: dict[str, Any],
) -> DeadLetter:
    """Return the dead letter of a record; of a body or key above 1.1 MB only the beginning."""
    key = record.key or b""
    run_id, _, symbol = key[:_KEPT_OF_HEADER].decode("utf-8", "backslashreplace").partition(":")
    return DeadLetter(
        **stamp,
        service=service,
        code=why.code,
        reason=why.reason + _cut(record),
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        raw_key=_base64(record.key),
        raw_headers=_headers(record),
        raw_body=_base64(record.value),
        run_id=run_id or None,
        symbol=symbol or None,
    )


def _cut(record: "ConsumerRecord[bytes, bytes]") -> str:
    size = max(len(record.value or b""), len(record.key or b""))
    if size <= _KEPT_BYTES:
        return ""
    return f" (the first {_KEPT_BYTES} of {size} bytes are kept here)"


def _base64(raw: bytes | None) -> str | None:
    return None if raw is None else base64.b64encode(raw[:_KEPT_BYTES]).decode("ascii")


def _headers(record: "ConsumerRecord[bytes, bytes]") -> tuple[tuple[str, str], ...]:
    headers = list(text_headers(record.headers).items())[:_KEPT_HEADERS]
    return tuple((name[:_KEPT_OF_HEADER], value[:_KEPT_OF_HEADER]) for name, value in headers)
