"""The login, watched against a scripted broker."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from services.gateway.heartbeat import broker_session
from services.gateway.login import Login, LoginState
from services.gateway.rhythm import Rhythm
from shared.ibkr.client import IbkrClient

READY = {"authenticated": True, "established": True, "competing": False, "connected": True}
ASLEEP = {"authenticated": False, "competing": False, "connected": True}
ACCOUNTS = {"accounts": ["DU1", "DU2"], "isPaper": True}


class Broker:
    """Answers each path as last told; ``None`` is a refused connection."""

    def __init__(self, **answers: Any) -> None:
        self.answers = {
            "tickle": {"session": "x"},
            "status": READY,
            "init": ASLEEP,
            "accounts": ACCOUNTS,
        } | answers
        self.asked: Counter[str] = Counter()
        self.bodies: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.rpartition("/")[2]
        self.asked[name] += 1
        if name == "init":
            self.bodies.append(request.content.decode())
        answer = self.answers[name]
        if answer is None:
            raise httpx.ConnectError("refused")
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    def login(self, account: str | None = None) -> Login:
        http = httpx.AsyncClient(
            base_url="http://broker/v1/api/", transport=httpx.MockTransport(self)
        )

        async def nap(_: float) -> None:
            return

        return Login(IbkrClient(http, sleep=nap), account=account)


async def test_a_ready_session_asks_for_the_accounts_once_and_opens_nothing() -> None:
    broker = Broker()
    login = broker.login()
    await login.look(0)
    await login.look(10)
    assert login.seen.ready
    assert (login.seen.accounts, login.seen.paper) == (("DU1", "DU2"), True)
    assert broker.asked == {"tickle": 1, "status": 2, "accounts": 1}


async def test_a_session_that_sleeps_is_opened_and_may_take_over_only_once() -> None:
    broker = Broker(status=ASLEEP)
    login = broker.login()
    for now in (0, 2, 4, 6, 20):
        await login.look(now)
    assert login.seen.state == "connected"
    assert broker.bodies == [
        '{"publish":true,"compete":true}',
        '{"publish":true,"compete":false}',
        '{"publish":true,"compete":false}',
    ]


async def test_an_opening_that_works_is_ready_at_once() -> None:
    broker = Broker(status=ASLEEP, init=READY)
    login = broker.login()
    await login.look(0)
    assert login.seen.ready


async def test_a_missing_login_is_not_hammered() -> None:
    broker = Broker(status=httpx.Response(401), tickle=httpx.Response(401))
    login = broker.login()
    await login.look(0)
    assert login.seen.state == "login_required"
    assert "log in" in login.seen.why
    assert broker.asked["init"] == 0


async def test_a_broker_that_is_down_is_unreachable_and_comes_back() -> None:
    broker = Broker(status=None, tickle=None)
    login = broker.login()
    await login.look(0)
    assert login.seen.state == "unreachable"
    broker.answers["status"] = READY
    await login.look(2)
    assert login.seen.ready


async def test_accounts_are_asked_again_after_each_loss() -> None:
    broker = Broker()
    login = broker.login()
    await login.look(0)
    broker.answers["status"] = ASLEEP
    await login.look(10)
    assert (login.seen.state, login.seen.accounts, login.seen.paper) == ("connected", (), False)
    broker.answers["status"] = READY
    await login.look(12)
    assert (login.seen.ready, broker.asked["accounts"]) == (True, 2)


async def test_without_accounts_nothing_is_ready() -> None:
    answers: list[Any] = [httpx.Response(503), {"accounts": []}, {}]
    for answer in answers:
        login = Broker(accounts=answer).login()
        await login.look(0)
        assert login.seen.state == "connected"
        assert "account" in login.seen.why


async def test_the_configured_account_must_be_one_of_the_logins() -> None:
    login = Broker().login(account="U999")
    await login.look(0)
    assert login.seen.state == "connected"
    assert "expected account U999, this login has DU1, DU2" in login.seen.why
    login = Broker().login(account="DU2")
    await login.look(0)
    assert login.seen.ready


async def test_an_account_is_paper_only_if_the_broker_says_so() -> None:
    for said in ({}, {"isPaper": None}, {"isPaper": "true"}, {"isPaper": False}):
        login = Broker(accounts={"accounts": ["DU1"], **said}).login()
        await login.look(0)
        assert (login.seen.ready, login.seen.paper) == (True, False)


async def test_the_same_state_keeps_its_beginning() -> None:
    login = Broker().login()
    await login.look(0)
    since = login.seen.since
    await login.look(10)
    assert login.seen.since == since


async def test_a_change_wakes_who_waits_for_it() -> None:
    login = Broker().login()
    await login.look(0)
    await login.changed(within_s=60)
    await login.changed(within_s=0)


def test_openings_back_off_up_to_a_minute_and_start_over_once_ready() -> None:
    rhythm, now, waits = Rhythm(), 0.0, list[float]()
    for _ in range(6):
        rhythm.opened(now)
        asked = now
        while not rhythm.opening_is_due(now):
            now += 1
        waits.append(now - asked)
    assert waits == [5, 10, 20, 40, 60, 60]
    rhythm.ready()
    assert rhythm.opening_is_due(now)
    assert rhythm.opened(now) is False


def test_a_tickle_is_due_every_55_seconds() -> None:
    rhythm = Rhythm()
    assert [rhythm.tickle_is_due(now) for now in (0, 54, 55, 56, 110)] == [
        True,
        False,
        True,
        False,
        True,
    ]


def test_a_beat_is_valid_for_fifteen_seconds_of_the_wall() -> None:
    wall = datetime(2026, 11, 23, tzinfo=UTC)
    stamp = {"occurred_at": wall, "market_time": datetime(2026, 3, 10, 14, tzinfo=UTC)}
    seen = LoginState("ready", "all is well", wall, ("DU1",), paper=True)
    beat = broker_session(stamp, seen, simulated=True)
    assert beat.valid_until == wall + timedelta(seconds=15)
    assert (beat.state, beat.accounts, beat.paper, beat.simulated) == (
        "ready",
        ("DU1",),
        True,
        True,
    )
