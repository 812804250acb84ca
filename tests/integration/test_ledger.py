"""The ledger and the token on a real PostgreSQL."""

import json
import uuid
from collections.abc import AsyncIterator

import pytest
from aiokafka import ConsumerRecord
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.api import ledger
from services.api.auth import Tokens
from services.api.entry import entry_of
from shared.db import make_engine, make_sessions
from shared.settings import DatabaseSettings

CE_ID = uuid.uuid4()


@pytest.fixture
async def session(database: DatabaseSettings) -> AsyncIterator[AsyncSession]:
    engine = make_engine(database, name="test")
    async with make_sessions(engine).begin() as session:
        await session.execute(text("TRUNCATE ledger.events, api.tokens"))
        yield session
    await engine.dispose()


def event(offset: int, **body: object) -> "ConsumerRecord[bytes, bytes]":
    value = json.dumps({"run_id": "run-1", **body}).encode()
    headers = (("ce_id", str(CE_ID).encode()),)
    return ConsumerRecord("step.failed", 0, offset, 0, 0, b"k", value, None, 1, 0, headers)


async def kept(session: AsyncSession) -> list[str]:
    return [json.loads(row["body"])["code"] for row in await ledger.of_run(session, "run-1")]


async def test_an_event_that_comes_again_is_kept_once(session: AsyncSession) -> None:
    for offset in range(3):
        await ledger.append(session, [entry_of(event(offset, code="a"))] * 2)

    assert await kept(session) == ["a"]


async def test_another_body_under_a_known_id_is_kept_too_and_once(session: AsyncSession) -> None:
    told = [event(0, code="a"), event(1, code="mended"), event(2, code="a")]

    await ledger.append(session, [entry_of(record) for record in told])
    await ledger.append(session, [entry_of(record) for record in told])

    assert await kept(session) == ["a", "mended"]


async def test_a_token_that_was_replaced_admits_nobody(session: AsyncSession) -> None:
    before, after, restarted = Tokens(), Tokens(), Tokens()
    await before.load(session, SecretStr("leaked"))

    await after.load(session, SecretStr("fresh"))
    await restarted.load(session, None)

    assert before.admits("leaked")
    for tokens in (after, restarted):
        assert tokens.admits("fresh")
        assert not tokens.admits("leaked")
