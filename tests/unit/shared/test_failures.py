import asyncpg
import pytest
from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError
from sqlalchemy import exc

from shared.failures import StateUnknownError, StepFailedError, is_ours


def from_postgresql(kind: type[exc.DBAPIError], cause: Exception) -> exc.DBAPIError:
    return kind("SELECT 1", {}, cause)


@pytest.mark.parametrize(
    "error",
    [
        KafkaConnectionError(),
        KafkaTimeoutError(),
        from_postgresql(exc.OperationalError, OSError()),
        from_postgresql(exc.InterfaceError, asyncpg.InterfaceError("closed")),
        # "the database system is starting up" comes as no subclass of its own
        from_postgresql(exc.DBAPIError, asyncpg.CannotConnectNowError("starting up")),
        from_postgresql(exc.ProgrammingError, asyncpg.UndefinedTableError("no table")),
        exc.TimeoutError("pool"),
        ConnectionRefusedError(),
        TimeoutError(),
        StateUnknownError("not read"),
    ],
    ids=lambda e: type(e).__name__,
)
def test_our_own_storage_being_away_is_waited_for(error: Exception) -> None:
    assert is_ours(error)


@pytest.mark.parametrize(
    "error",
    [
        from_postgresql(exc.IntegrityError, asyncpg.UniqueViolationError("twice")),
        from_postgresql(exc.DataError, asyncpg.NumericValueOutOfRangeError("too much")),
        # NUL in a text comes as no subclass of its own either
        from_postgresql(exc.DBAPIError, asyncpg.CharacterNotInRepertoireError("0x00")),
        ValueError("a bug"),
        KeyError("a bug"),
        StepFailedError("code", "reason"),
    ],
    ids=lambda e: type(e).__name__,
)
def test_a_bug_or_a_failed_step_is_not_waited_for(error: Exception) -> None:
    assert not is_ours(error)
