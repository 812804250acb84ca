"""A message that no service can use, kept whole."""

from typing import ClassVar

from shared.events.base import Event, Reason


class DeadLetter(Event):
    """``body`` and ``key`` are base64 of the raw bytes; headers are as text, escaped."""

    type: ClassVar[str] = "dead.letter"

    service: str
    reason: Reason
    code: str
    topic: str
    partition: int
    offset: int
    raw_key: str | None
    raw_headers: tuple[tuple[str, str], ...]
    raw_body: str | None
    run_id: str | None = None
    symbol: str | None = None

    def identity(self) -> tuple[object, ...]:
        return (self.service, self.topic, self.partition, self.offset)

    def key(self) -> str:
        return f"{self.topic}:{self.partition}:{self.offset}"
