"""The bearer token of REST: the database holds its hash, never the token."""

import hashlib
import hmac
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from services.api.problems import ProblemError
from services.api.store import tokens

_bearer = HTTPBearer(auto_error=False)


class Tokens:
    """The hashes of the tokens that are let in; loaded at start."""

    def __init__(self) -> None:
        self._hashes: set[str] = set()

    async def load(self, session: AsyncSession, configured: SecretStr | None) -> None:
        """Let in the configured token and no other; without one, the one remembered before."""
        if configured is not None:
            row = {"hash": _hash(configured.get_secret_value())}
            await session.execute(insert(tokens).values(row).on_conflict_do_nothing())
            await session.execute(tokens.delete().where(tokens.c.hash != row["hash"]))
        self._hashes = set(await session.scalars(select(tokens.c.hash)))

    def admits(self, token: str) -> bool:
        """Whether a token is one of ours."""
        found = _hash(token)
        return any(hmac.compare_digest(found, known) for known in self._hashes)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


async def authorized(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> None:
    """Let a request through that shows a token. Raises ProblemError 401."""
    known: Tokens = request.app.state.tokens
    if credentials is None or not known.admits(credentials.credentials):
        reason = "expected 'Authorization: Bearer TOKEN' with the token of .openbell/token"
        raise ProblemError(HTTPStatus.UNAUTHORIZED, "unauthorized", reason)
