"""Asking a part whether it is ready, in its own protocol, without its client library."""

import asyncio
import struct
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from deploy.native.ports import LOOPBACK

Health = Callable[[], Coroutine[Any, Any, bool]]

_PATIENCE_S = 2.0
_BROKEN = (OSError, asyncio.IncompleteReadError, TimeoutError)


def http_ok(port: int, path: str) -> Health:
    """Ready when ``GET path`` answers 200."""
    request = f"GET {path} HTTP/1.1\r\nHost: {LOOPBACK}\r\nConnection: close\r\n\r\n".encode()

    async def check() -> bool:
        answer = await _ask(asyncio.open_connection(LOOPBACK, port), request, 12)
        return answer[9:12] == b"200"

    return check


def kafka_answers(port: int) -> Health:
    """Ready when the broker lists itself in an answer to Metadata (version 4, no topics)."""
    body = struct.pack(">hhihiB", 3, 4, 1, -1, 0, 0)
    request = struct.pack(">i", len(body)) + body

    async def check() -> bool:
        # Size, correlation id, throttle time, number of brokers: four bytes each.
        answer = await _ask(asyncio.open_connection(LOOPBACK, port), request, 16)
        return len(answer) == 16 and int.from_bytes(answer[12:16]) > 0  # noqa: PLR2004

    return check


def postgres_answers(socket_path: str) -> Health:
    """Ready when a session opens: the server asks for no password on its socket (``R``, 0)."""
    body = struct.pack(">i", 196_608) + b"user\0postgres\0database\0openbell\0\0"
    request = struct.pack(">i", len(body) + 4) + body

    async def check() -> bool:
        answer = await _ask(asyncio.open_unix_connection(socket_path), request, 9)
        return answer == b"R" + struct.pack(">ii", 8, 0)

    return check


async def _ask(
    connecting: Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]],
    request: bytes,
    size: int,
) -> bytes:
    """Return the first ``size`` bytes of the answer, or nothing where there is none."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            reader, writer = await connecting
            try:
                writer.write(request)
                return await reader.readexactly(size)
            finally:
                writer.close()
    except _BROKEN:
        return b""
