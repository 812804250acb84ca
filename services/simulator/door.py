"""The door that every request under the base goes through: length, pacing, login, faults."""

import asyncio
import json
import re
from dataclasses import dataclass
from time import monotonic
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.simulator import connections
from services.simulator.faults import Delay, Drop, Fault, Hang, Html, LoggedOut, Status
from services.simulator.pacing import CHARTS_AT_ONCE
from services.simulator.tape import TapeRow
from services.simulator.world import World

BASE = "/v1/api"
LOGIN_PAGE = (
    "<!DOCTYPE html><html><head><title>Login</title></head><body><form method='post' "
    "action='/sso/Login'><button>Log in (simulated)</button></form></body></html>"
)

_ORDER_POST = re.compile(r"iserver/account/[^/]+/orders")
_HISTORY = "iserver/marketdata/history"
_WITHOUT_LOGIN = ("tickle", "logout")


@dataclass(frozen=True)
class Answer:
    """An HTTP answer as a whole."""

    status: int
    body: bytes
    content_type: str = "application/json"
    cut: bool = False

    def parsed(self) -> Any:
        """Return the body as JSON, or as text where it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return self.body.decode(errors="replace")


_CUT = Answer(0, b"", cut=True)
_NO_LENGTH = Answer(411, b"Length Required", "text/plain")
_NO_LOGIN = Answer(401, b"Access Denied", "text/plain")


def _json(status: int, body: Any) -> Answer:
    return Answer(status, json.dumps(body).encode())


_TOO_MANY = _json(429, {"error": "Too Many Requests", "statusCode": 429})
_TOO_MANY_CHARTS = _json(
    429, {"error": "Too many history charts requests, please try again later."}
)


class Door:
    """Middleware around the routes. Requests elsewhere than under the base pass untouched."""

    def __init__(self, app: ASGIApp, world: World) -> None:
        self._app = app
        self._world = world
        self._charts = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or cut it off."""
        if scope["type"] == "lifespan" or not scope["path"].startswith(f"{BASE}/"):
            await self._app(scope, receive, send)
            return
        scope = {**scope, "path": scope["path"].rstrip("/")}
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = await _read(receive)
        answer = await self._record(scope, body, receive)
        if answer.cut:
            await connections.cut(scope)
            return
        headers = [
            (b"content-type", answer.content_type.encode()),
            (b"content-length", str(len(answer.body)).encode()),
        ]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": answer.body})

    async def _record(self, scope: Scope, body: bytes, receive: Receive) -> Answer:
        path = scope["path"].removeprefix(f"{BASE}/")
        row = None
        if scope["method"] == "POST" and _ORDER_POST.fullmatch(path):
            row = self._world.tape.open(body, self._world.time.now())
        scope.setdefault("state", {})["order_row"] = row
        return await self._admit(scope, path, body, receive, row)

    async def _admit(
        self, scope: Scope, path: str, body: bytes, receive: Receive, row: TapeRow | None
    ) -> Answer:
        refused = self._refuse(scope, path)
        if refused is not None:
            return _noted(row, refused)
        self._charts += path == _HISTORY
        try:
            return await self._strike(scope, path, body, receive, row)
        finally:
            self._charts -= path == _HISTORY

    def _refuse(self, scope: Scope, path: str) -> Answer | None:
        names = {name for name, _ in scope["headers"]}
        if scope["method"] == "POST" and b"content-length" not in names:
            return _NO_LENGTH
        if not self._world.pacing.admit(path, monotonic()):
            return _TOO_MANY
        if path == _HISTORY and self._charts >= CHARTS_AT_ONCE:
            return _TOO_MANY_CHARTS
        return None

    async def _strike(
        self, scope: Scope, path: str, body: bytes, receive: Receive, row: TapeRow | None
    ) -> Answer:
        faults = self._world.faults.claim(scope["method"], path)
        early = await _apply([f for f in faults if _when(f) == "before"], receive)
        if early is not None:
            return _noted(row, early)
        scope["state"]["faults"] = faults
        answer = _noted(row, await self._carry_out(scope, path, body, faults))
        late = await _apply([f for f in faults if _when(f) == "after"], receive)
        return answer if late is None else late

    async def _carry_out(self, scope: Scope, path: str, body: bytes, faults: list[Fault]) -> Answer:
        session = self._world.session
        session.touch(self._world.settings.switches.idle_timeout_s)
        logged_in = session.logged_in and not any(isinstance(f, LoggedOut) for f in faults)
        if not logged_in and path not in _WITHOUT_LOGIN:
            return _NO_LOGIN
        return await _call(self._app, scope, body)


def _noted(row: TapeRow | None, answer: Answer) -> Answer:
    if row is not None and not answer.cut:
        row.answer = answer.parsed()
    return answer


def _when(fault: Fault) -> str | None:
    return getattr(fault, "when", None)


async def _apply(faults: list[Fault], receive: Receive) -> Answer | None:
    for fault in faults:
        match fault:
            case Delay():
                await asyncio.sleep(fault.seconds)
            case Drop():
                return _CUT
            case Hang():
                await _disconnected(receive)
                return _CUT
            case Html():
                return Answer(200, LOGIN_PAGE.encode(), "text/html")
            case Status():
                return _status(fault)
            case _:
                pass
    return None


def _status(fault: Status) -> Answer:
    if fault.body is None:
        return Answer(fault.status, b"", "text/plain")
    if isinstance(fault.body, str):
        return Answer(fault.status, fault.body.encode(), "text/plain")
    return _json(fault.status, fault.body)


async def _read(receive: Receive) -> bytes:
    body: bytes = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            return body


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _call(app: ASGIApp, scope: Scope, body: bytes) -> Answer:
    """Run the routes to their end, whether or not the client is still there."""
    messages: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, send)
    start = messages[0]
    headers = dict(start["headers"])
    content_type = headers.get(b"content-type", b"text/plain").decode()
    content: bytes = b"".join(m.get("body", b"") for m in messages[1:])
    return Answer(start["status"], content, content_type)
