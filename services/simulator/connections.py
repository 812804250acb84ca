"""Cutting a connection without an answer, which HTTP frameworks have no word for."""

import asyncio
from asyncio import BaseTransport, Transport
from typing import Any, cast

from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

_ROUND_S = 0.01

_open: dict[tuple[str, int], Transport] = {}


class CuttableProtocol(H11Protocol):
    """uvicorn's HTTP protocol, which also remembers its connections by the client's address."""

    def connection_made(self, transport: BaseTransport) -> None:
        """Remember the connection."""
        super().connection_made(cast("Any", transport))
        if self.client is not None:
            _open[self.client] = self.transport

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        if self.client is not None:
            _open.pop(self.client, None)
        super().connection_lost(exc)


async def cut(scope: Scope) -> None:
    """Reset the connection of a request, and return once it is gone. No harm if it is already.

    It works in the server that ``main`` starts; any other complains of an answer that never came.
    """
    client = scope.get("client")
    transport = _open.get(tuple(client)) if client else None
    if transport is None:
        return
    transport.abort()
    # The loop closes it in its next round; uvicorn would complain if the request ended before.
    await asyncio.sleep(_ROUND_S)
