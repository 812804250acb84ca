"""Every error of REST is problem+json, and only storage that is away is said to be."""

import asyncpg
import httpx
import pytest
from aiokafka.errors import KafkaConnectionError
from fastapi import FastAPI
from sqlalchemy import exc

from services.api.problems import handle_problems

AWAY = [
    KafkaConnectionError(),
    exc.OperationalError("SELECT 1", {}, OSError()),
    exc.TimeoutError("QueuePool limit reached"),
    ConnectionRefusedError(),
]
BUGS = [
    KeyError("x"),
    exc.DBAPIError("SELECT 1", {}, asyncpg.CharacterNotInRepertoireError("NUL")),
]


async def answer_to(error: Exception) -> httpx.Response:
    app = FastAPI()
    handle_problems(app)

    @app.get("/")
    async def fail() -> None:
        raise error

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        return await http.get("/")


@pytest.mark.parametrize("error", AWAY, ids=lambda e: type(e).__name__)
async def test_storage_that_is_away_is_503(error: Exception) -> None:
    answer = await answer_to(error)

    assert (answer.status_code, answer.json()["code"]) == (503, "storage_unavailable")


@pytest.mark.parametrize("error", BUGS, ids=lambda e: type(e).__name__)
async def test_a_bug_is_500_and_says_where_to_look(error: Exception) -> None:
    answer = await answer_to(error)

    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "openbell logs api" in answer.json()["detail"]
