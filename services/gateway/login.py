"""The broker's login: watched, kept alive, opened again; who logs in is a person."""

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog

from services.gateway.rhythm import Rhythm
from shared.events.state import BrokerState
from shared.ibkr.client import IbkrClient
from shared.ibkr.errors import BrokerError
from shared.ibkr.session import Standing, standing
from shared.market_time import wall_now

_EVERY_S, _EVERY_READY_S = 2.0, 10.0
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class LoginState:
    """The login as last seen. ``paper`` is what the broker itself says of it."""

    state: BrokerState
    why: str
    since: datetime
    accounts: tuple[str, ...] = ()
    paper: bool = False

    @property
    def ready(self) -> bool:
        """Whether market data and orders can be asked for."""
        return self.state == "ready"


class Login:
    """Keeps the one login of this username. ``account``, where given, must be one of its own."""

    def __init__(self, client: IbkrClient, *, account: str | None) -> None:
        self._client = client
        self._account = account
        self._rhythm = Rhythm()
        self._changed = asyncio.Event()
        self.seen = LoginState("unreachable", "the broker was not asked yet", wall_now())

    async def keep(self) -> None:
        """Watch the session until cancelled."""
        while True:
            await self.look(time.monotonic())
            await asyncio.sleep(_EVERY_READY_S if self.seen.ready else _EVERY_S)

    async def changed(self, within_s: float) -> None:
        """Return at the next change of the state, and after ``within_s`` at the latest."""
        try:
            async with asyncio.timeout(within_s):
                await self._changed.wait()
        except TimeoutError:
            return
        self._changed.clear()

    async def look(self, now: float) -> None:
        """Ask once where the session stands, and do what it needs. ``now``: monotonic seconds."""
        if self._rhythm.tickle_is_due(now):
            await _answer(self._client.tickle())
        found = standing(await _answer(self._client.status()))
        if found.state in ("connected", "competing") and self._rhythm.opening_is_due(now):
            compete = self._rhythm.opened(now)
            log.info("opening the brokerage session", compete=compete, why=found.why)
            found = standing(await _answer(self._client.open_session(compete=compete)))
        if found.state == "ready":
            self._rhythm.ready()
            await self._see_accounts(found)
        else:
            self._see(LoginState(found.state, found.why, wall_now()))

    async def _see_accounts(self, found: Standing) -> None:
        """Ask for the accounts once per session: the broker wants it before all else."""
        if self.seen.ready:
            return
        answer = await _answer(self._client.accounts())
        if isinstance(answer, BrokerError):
            why = f"the accounts are not known: {answer.reason}"
            self._see(LoginState("connected", why, wall_now()))
            return
        self._see(_with_accounts(found, answer, self._account))

    def _see(self, now: LoginState) -> None:
        before = self.seen
        if (before.state, before.why) == (now.state, now.why):
            return
        log.info("broker session", state=now.state, why=now.why)
        since = before.since if before.state == now.state else now.since
        self.seen = LoginState(now.state, now.why, since, now.accounts, now.paper)
        self._changed.set()


def _with_accounts(found: Standing, answer: Any, expected: str | None) -> LoginState:
    accounts = answer.get("accounts") if isinstance(answer, dict) else None
    if not isinstance(accounts, list) or not accounts:
        why = "the broker listed no account of this login"
        return LoginState("connected", why, wall_now())
    names = tuple(map(str, accounts))
    if expected is not None and expected not in names:
        why = (
            f"expected account {expected}, this login has {', '.join(names)}: "
            "set OPENBELL_IBKR__ACCOUNT to one of them"
        )
        return LoginState("connected", why, wall_now())
    # Whoever does not say that it is paper is not.
    paper = answer.get("isPaper") is True
    return LoginState(found.state, found.why, wall_now(), names, paper)


async def _answer(request: Awaitable[Any]) -> Any:
    """Return the answer, or the error that took its place."""
    try:
        return await request
    except BrokerError as e:
        return e
