"""What the real broker does not have: state, order tape, faults, a login without a password."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from services.simulator.door import LOGIN_PAGE
from services.simulator.faults import FaultList
from services.simulator.routes.deps import Json, WorldDep
from services.simulator.world import World

router = APIRouter()


@router.get("/__sim__/state")
async def state(world: WorldDep) -> Json:
    """Tell the state of session, market and pacing."""
    now, session, pacing = world.time.now(), world.session, world.pacing
    contracts = world.instruments.traded()
    prices = {c.symbol: world.market.last(c.symbol, now) for c in contracts}
    return {
        "session": {
            "id": session.id,
            "logged_in": session.logged_in,
            "authenticated": session.authenticated,
            "competing": session.competing,
            "accounts_asked": session.accounts_asked,
        },
        "market_time": now.isoformat(),
        "market_open": _is_open(world),
        "data": world.market.bars.kind,
        "bars_dir": str(world.settings.bars) if world.settings.bars else None,
        "seed": world.market.seed,
        "prices": {symbol: price and float(price) for symbol, price in prices.items()},
        "pacing": {
            "requests": pacing.requests,
            "limited": pacing.limited,
            "per_path": dict(pacing.per_path),
        },
    }


@router.get("/__sim__/orders")
async def tape(world: WorldDep) -> Json:
    """Return one row per order POST received, whatever became of it."""
    return {"orders": world.tape.rows()}


@router.get("/__sim__/faults")
async def faults(world: WorldDep) -> Json:
    """Return the faults in force."""
    return _faults(world)


@router.put("/__sim__/faults")
async def put_faults(world: WorldDep, body: FaultList) -> Json:
    """Replace the faults in force."""
    world.faults.faults = body.faults
    return _faults(world)


@router.delete("/__sim__/faults")
async def delete_faults(world: WorldDep) -> Json:
    """End all faults."""
    world.faults.faults = []
    return _faults(world)


@router.get("/sso/Login")
async def login_page() -> HTMLResponse:
    """Return the page at which a person logs in."""
    return HTMLResponse(LOGIN_PAGE)


@router.post("/sso/Login")
async def login(world: WorldDep) -> HTMLResponse:
    """Log in; no password is asked for."""
    world.session.log_in()
    return HTMLResponse("Client login succeeds")


def _is_open(world: World) -> bool:
    now = world.time.now()
    quotes = (world.market.quote(symbol, now) for symbol in world.market.bars.symbols)
    return any(quote is not None and quote.live for quote in quotes)


def _faults(world: World) -> dict[str, Any]:
    return world.faults.model_dump(mode="json", exclude_none=True)
