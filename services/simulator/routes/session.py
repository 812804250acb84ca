"""Login, brokerage session, keep-alive."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from services.simulator import wire
from services.simulator.errors import Refusal, bad_request
from services.simulator.faults import Fault
from services.simulator.market_time import wall_now
from services.simulator.routes.deps import (
    BROKERAGE,
    FaultsDep,
    Json,
    WorldDep,
    is_authenticated,
    is_competing,
    is_logged_in,
)
from services.simulator.session import (
    ACCOUNT,
    MAC,
    SERVER_NAME,
    SERVER_VERSION,
    USER_ID,
    USERNAME,
)
from services.simulator.world import World

router = APIRouter()

_SSO_EXPIRES_MS = 594650
_SERVER = {"serverName": SERVER_NAME, "serverVersion": SERVER_VERSION}


class InitRequest(BaseModel):
    """Body of ssodh/init."""

    publish: bool = False
    compete: bool = False


class AccountRequest(BaseModel):
    """Body of /iserver/account."""

    acctId: str  # noqa: N815  # the broker's name


@router.api_route("/iserver/auth/status", methods=["GET", "POST"])
async def auth_status(world: WorldDep, faults: FaultsDep) -> Json:
    """Tell the state of the brokerage session."""
    status = _auth_status(world, faults)
    if status["authenticated"]:
        status |= {"hardware_info": f"abcd|{MAC}", "fail": ""}
    return status


@router.post("/iserver/auth/ssodh/init")
async def init(world: WorldDep, faults: FaultsDep, body: InitRequest) -> Json:
    """Open the brokerage session. An answer of 200 with authenticated false is a failure."""
    if not body.publish:
        raise bad_request("publish must be true", 500)
    competing = is_competing(world, faults)
    if not competing or body.compete:
        world.session.open_brokerage()
    else:
        world.session.authenticated = False
    return _auth_status(world, [] if body.compete else faults)


@router.post("/iserver/reauthenticate")
async def reauthenticate(world: WorldDep) -> Json:
    """Open the brokerage session the old way."""
    world.session.open_brokerage()
    return {"message": "triggered"}


@router.post("/tickle")
async def tickle(world: WorldDep, faults: FaultsDep) -> Json:
    """Keep the session alive."""
    status = _auth_status(world, faults)
    if not status["connected"]:
        return _tickle_logged_out(world)
    answer = {
        "session": world.session.id,
        "ssoExpires": _SSO_EXPIRES_MS,
        "collission": False,
        "userId": USER_ID,
    }
    if not status["authenticated"]:
        return {**answer, "iserver": {"tickle": True, "authStatus": status}}
    return {**answer, "hmds": {"error": "no bridge"}, "iserver": {"authStatus": status}}


@router.get("/sso/validate")
async def validate(world: WorldDep) -> Json:
    """Tell about the login."""
    now = wire.epoch_ms(wall_now())
    return {
        "USER_ID": USER_ID,
        "USER_NAME": USERNAME,
        "RESULT": world.session.logged_in,
        "AUTH_TIME": now,
        "SF_ENABLED": False,
        "IS_FREE_TRIAL": False,
        "CREDENTIAL": USERNAME,
        "IP": "127.0.0.1",
        "EXPIRES": 415890,
        "QUALIFIED_FOR_MOBILE_AUTH": None,
        "LANDING_APP": "UNIVERSAL",
        "IS_MASTER": False,
        "lastAccessed": now,
        "LOGIN_TYPE": 2,
        "PAPER_USER_NAME": USERNAME,
        "features": {"env": "PROD", "wlms": True, "realtime": True},
        "region": "NJ",
    }


@router.post("/logout")
async def logout(world: WorldDep) -> Json:
    """End the login."""
    world.session.log_out()
    return {"status": True}


@router.get("/iserver/accounts", dependencies=BROKERAGE)
async def accounts(world: WorldDep) -> Json:
    """List the accounts; has to be the first call of a brokerage session."""
    world.session.accounts_asked = True
    return accounts_body(world.session.id)


@router.post("/iserver/account", dependencies=BROKERAGE)
async def choose_account(body: AccountRequest) -> Json:
    """Choose an account; there is only one."""
    if body.acctId != ACCOUNT:
        raise Refusal(500, {"error": "Invalid account ID"})
    return {"success": "Account already set"}


def accounts_body(session_id: str) -> dict[str, Any]:
    """Return the body of /iserver/accounts, which the stream repeats."""
    properties = {
        "hasChildAccounts": False,
        "supportsCashQty": True,
        "liteUnderPro": False,
        "noFXConv": False,
        "isProp": False,
        "supportsFractions": True,
        "allowCustomerTime": False,
        "autoFx": False,
    }
    return {
        "accounts": [ACCOUNT],
        "acctProps": {ACCOUNT: properties},
        "aliases": {ACCOUNT: ACCOUNT},
        "allowFeatures": {
            "showGFIS": True,
            "snapshotRefreshTimeout": 30,
            "allowedAssetTypes": "STK",
        },
        "chartPeriods": {"STK": ["*"]},
        "groups": [],
        "profiles": [],
        "selectedAccount": ACCOUNT,
        "serverInfo": _SERVER,
        "sessionId": f"{session_id[:8]}.0000001e",
        "isFT": False,
        "isPaper": True,
    }


def _auth_status(world: World, faults: list[Fault]) -> dict[str, Any]:
    authenticated = is_authenticated(world, faults)
    competing = is_competing(world, faults)
    if not is_logged_in(world, faults):
        return {"authenticated": False, "competing": False, "connected": False, "MAC": MAC}
    status = {
        "authenticated": authenticated,
        "competing": competing,
        "connected": True,
        "message": "",
        "MAC": MAC,
        "serverInfo": _SERVER,
    }
    return {**status, "established": True} if authenticated else status


def _tickle_logged_out(world: World) -> dict[str, Any]:
    match world.settings.switches.tickle_logged_out:
        case "no session":
            return {"error": "no session"}
        case "failed":
            return {"error": "failed to process request"}
        case "401":
            raise Refusal(401, "Access Denied")
