"""The WebSocket: session messages, heartbeats and quotes.

A frame that comes before the session is accepted is dropped without a word, as by the broker.
"""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from services.simulator import snapshot, wire
from services.simulator.faults import Drop, spoil_quote
from services.simulator.market_time import wall_now
from services.simulator.routes.deps import is_authenticated, traded_contract
from services.simulator.routes.session import accounts_body
from services.simulator.session import SERVER_NAME, SERVER_VERSION, USERNAME
from services.simulator.world import World

router = APIRouter()

HEARTBEAT_S = 10.0
_STEP_S = 0.25
_PATH = "ws"


@dataclass
class _Subscription:
    conid: int
    fields: list[str]
    since: float
    told: dict[str, Any] = field(default_factory=dict)


@router.websocket("/ws")
async def stream(websocket: WebSocket) -> None:
    """Serve one client until it leaves."""
    world: World = websocket.app.state.world
    await websocket.accept()
    with suppress(WebSocketDisconnect):
        connection = _Connection(world, websocket)
        await connection.log_in()
        await connection.serve()


class _Connection:
    def __init__(self, world: World, websocket: WebSocket) -> None:
        self._world = world
        self._websocket = websocket
        self._subscriptions: dict[int, _Subscription] = {}
        self._authenticated: bool | None = None
        self._next_heartbeat = monotonic() + HEARTBEAT_S

    async def log_in(self) -> None:
        """Wait for the session, in the cookie or in a message; then say who is there."""
        found = _session_of_cookie(self._websocket.headers.get("cookie", ""))
        if found != self._world.session.id:
            await self._websocket.send_json({"message": "waiting for session"})
        while found != self._world.session.id:
            found = _session_of(await self._websocket.receive_text())
        hello = {"topic": "system", "success": USERNAME, "isFT": False, "isPaper": True}
        await self._websocket.send_json(hello)
        await self._tell_status()
        account = accounts_body(self._world.session.id)
        await self._websocket.send_json({"topic": "act", "args": account})

    async def serve(self) -> None:
        """Read commands and push news until the client leaves or a fault cuts the line."""
        reader = asyncio.create_task(self._read())
        pusher = asyncio.create_task(self._push())
        _, left = await asyncio.wait({reader, pusher}, return_when=asyncio.FIRST_COMPLETED)
        for task in left:
            task.cancel()
        for result in await asyncio.gather(reader, pusher, return_exceptions=True):
            if isinstance(result, Exception):
                raise result

    async def _read(self) -> None:
        while True:
            await self._obey(await self._websocket.receive_text())

    async def _obey(self, frame: str) -> None:
        verb, _, rest = frame.partition("+")
        conid, _, options = rest.partition("+")
        number = conid.partition("@")[0]
        if verb == "tic":
            await self._websocket.send_json(
                {
                    "topic": "tic",
                    "alive": True,
                    "id": self._world.session.id,
                    "lastAccessed": wire.epoch_ms(wall_now()),
                }
            )
        elif verb == "smd" and number.isdecimal():
            fields = _fields(options)
            self._subscriptions[int(number)] = _Subscription(int(number), fields, monotonic())
        elif verb == "umd" and number.isdecimal():
            self._subscriptions.pop(int(number), None)

    async def _push(self) -> None:
        while True:
            faults = self._world.faults.claim("GET", _PATH) if self._subscriptions else []
            if any(isinstance(fault, Drop) for fault in faults):
                await self._websocket.close(code=1011)
                return
            await self._tell_status()
            for subscription in list(self._subscriptions.values()):
                if self._is_alive(subscription):
                    await self._tell_quote(subscription, faults)
            if monotonic() >= self._next_heartbeat:
                self._next_heartbeat += HEARTBEAT_S
                beat = {"topic": "system", "hb": wire.epoch_ms(wall_now())}
                await self._websocket.send_json(beat)
            await asyncio.sleep(_STEP_S)

    def _is_alive(self, subscription: _Subscription) -> bool:
        expiry = self._world.settings.switches.stream_expiry_s
        return not expiry or monotonic() - subscription.since < expiry

    async def _tell_status(self) -> None:
        authenticated = is_authenticated(self._world, [])
        if authenticated == self._authenticated:
            return
        first, self._authenticated = self._authenticated is None, authenticated
        args: dict[str, Any] = {"authenticated": authenticated}
        if first or authenticated:
            args |= {
                "competing": self._world.session.competing,
                "message": "",
                "fail": "",
                "serverName": SERVER_NAME,
                "serverVersion": SERVER_VERSION,
                "username": USERNAME,
            }
        await self._websocket.send_json({"topic": "sts", "args": args})

    async def _tell_quote(self, subscription: _Subscription, faults: list[Any]) -> None:
        contract = traded_contract(self._world, subscription.conid)
        if contract is None or not self._authenticated:
            return
        quote = self._world.market.quote(contract.symbol, self._world.time.now())
        row = spoil_quote(snapshot.row(contract, quote, subscription.fields), faults)
        changed = {k: v for k, v in row.items() if subscription.told.get(k) != v}
        if not changed.keys() - {snapshot.UPDATED}:
            return
        subscription.told = row
        head = {"topic": f"smd+{subscription.conid}", **snapshot.bare_row(subscription.conid)}
        updated = {snapshot.UPDATED: row[snapshot.UPDATED]} if snapshot.UPDATED in row else {}
        await self._websocket.send_json({**head, **updated, **changed})


def _session_of_cookie(header: str) -> str | None:
    """Return the session of ``api=<id>`` or ``api={"session": "<id>"}``."""
    for part in header.split(";"):
        name, _, value = part.strip().partition("=")
        if name == "api":
            return _session_of(value) or value
    return None


def _session_of(text: str) -> str | None:
    try:
        body = json.loads(text)
    except ValueError:
        return None
    found = body.get("session") if isinstance(body, dict) else None
    return found if isinstance(found, str) else None


def _fields(options: str) -> list[str]:
    try:
        body = json.loads(options)
    except ValueError:
        return []
    fields = body.get("fields", []) if isinstance(body, dict) else []
    return [str(name) for name in fields] if isinstance(fields, list) else []
