"""The three kinds of failure.

* Ours (our PostgreSQL, Kafka): retried without end, never a failed step.
* The world (broker, model): after bounded retries, ``StepFailedError``.
* Poison (a message nobody can use, a bug of ours): the dead-letter topic.
"""

import asyncio

from aiokafka.errors import KafkaError
from sqlalchemy import exc


class StepFailedError(Exception):
    """A step cannot do its work: becomes a ``step.failed`` event with this code and reason."""

    def __init__(self, code: str, reason: str, attempts: int = 1) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
        self.attempts = attempts


class PoisonError(Exception):
    """A message is undecodable or impossible: becomes a ``dead.letter`` event."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason


class StateUnknownError(Exception):
    """A state topic is not read to its end, or Kafka does not answer: nothing is known."""


class UnreadableEntryError(StateUnknownError):
    """The newest entry of a key cannot be read; waiting does not help, a new entry does."""


# A broken connection, a server that starts, a full pool, a table not yet made. OSError is what
# asyncpg lets through when nobody listens; calls to the world raise httpx and openai errors.
OURS: tuple[type[Exception], ...] = (
    KafkaError,
    exc.DBAPIError,
    exc.TimeoutError,
    OSError,
    asyncio.TimeoutError,
    StateUnknownError,
)
# What PostgreSQL says of our values (SQLSTATE classes data exception and integrity constraint
# violation): waiting would not help. The driver's wrapper knows few of them by type.
_BUGS = ("22", "23")


def is_ours(error: BaseException) -> bool:
    """Whether a failure is of our own storage, so that only waiting helps."""
    return isinstance(error, OURS) and not _sqlstate(error).startswith(_BUGS)


def _sqlstate(error: BaseException) -> str:
    return str(getattr(getattr(error, "orig", None), "sqlstate", ""))
