"""Cutting a connection without an answer, which HTTP frameworks have no word for."""

from asyncio import BaseTransport, Transport
from typing import Any, cast

from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol

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


def cut(scope: Scope) -> None:
    """Reset the connection of a request. Raises ConnectionAbortedError under another server."""
    client = scope.get("client")
    transport = _open.get(tuple(client)) if client else None
    if transport is None:
        msg = "this server cannot cut connections; start the simulator by its main()"
        raise ConnectionAbortedError(msg)
    transport.abort()
