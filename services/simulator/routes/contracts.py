"""Finding and describing contracts."""

from fastapi import APIRouter
from pydantic import BaseModel

from services.simulator import contracts
from services.simulator.errors import Refusal, bad_request
from services.simulator.instruments import Contract
from services.simulator.routes.deps import BROKERAGE, Json, WorldDep
from services.simulator.world import World

router = APIRouter()

_MOST_CONIDS = 200


class SearchRequest(BaseModel):
    """Body of secdef/search."""

    symbol: str = ""


@router.get("/trsrv/stocks")
async def stocks(world: WorldDep, symbols: str = "") -> Json:
    """Return the listings of symbols, namesakes included."""
    found = {symbol: world.instruments.of_symbol(symbol) for symbol in symbols.split(",")}
    keep_unknown = world.settings.switches.unknown_stock == "empty"
    return {
        symbol: contracts.stocks(listings)
        for symbol, listings in found.items()
        if listings or keep_unknown
    }


@router.get("/trsrv/secdef")
async def secdef(world: WorldDep, conids: str = "") -> Json:
    """Describe contracts by number; unknown ones are left out."""
    numbers = conid_list(conids, _MOST_CONIDS)
    found = (world.instruments.of_conid(number) for number in numbers)
    return {"secdef": [contracts.secdef(contract) for contract in found if contract is not None]}


@router.get("/iserver/secdef/search", dependencies=BROKERAGE)
async def search(world: WorldDep, symbol: str = "") -> Json:
    """Search by symbol."""
    return _search(world, symbol)


@router.post("/iserver/secdef/search", dependencies=BROKERAGE)
async def search_by_body(world: WorldDep, body: SearchRequest) -> Json:
    """Search by symbol."""
    return _search(world, body.symbol)


@router.get("/iserver/contract/{conid}/info", dependencies=BROKERAGE)
async def info(world: WorldDep, conid: int) -> Json:
    """Describe a contract."""
    return contracts.info(_known(world, conid))


@router.get("/iserver/contract/{conid}/info-and-rules", dependencies=BROKERAGE)
async def info_and_rules(world: WorldDep, conid: int) -> Json:
    """Describe a contract and what may be ordered."""
    contract = _known(world, conid)
    last = world.market.last(contract.symbol, world.time.now()) if contract.is_us else None
    price = None if last is None else float(last)
    return {**contracts.info(contract), "rules": contracts.rules(price)}


def conid_list(text: str, most: int) -> list[int]:
    """Return the numbers of a comma-separated list. Raises Refusal where it is none."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not parts or len(parts) > most or not all(part.isdecimal() for part in parts):
        raise bad_request(f"conids: expected 1 to {most} numbers")
    return [int(part) for part in parts]


def _search(world: World, symbol: str) -> Json:
    listings = world.instruments.of_symbol(symbol)
    if not listings and world.settings.switches.unknown_search == "error":
        return {"error": "No symbol found"}
    return [contracts.search_row(contract) for contract in listings]


def _known(world: World, conid: int) -> Contract:
    contract = world.instruments.of_conid(conid)
    if contract is None:
        raise Refusal(500, {"error": "no contract found"})
    return contract
