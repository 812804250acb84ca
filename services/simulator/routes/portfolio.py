"""What the account holds and is worth."""

from decimal import Decimal
from typing import Any

from fastapi import APIRouter

from services.simulator import wire
from services.simulator.account import INITIAL_MARGIN, ZERO, Position, cash
from services.simulator.routes.deps import Json, WorldDep, check_account
from services.simulator.session import ACCOUNT
from services.simulator.world import World

router = APIRouter()

_PAGE = 100
_NO_VALUES = (
    "commoditymarketvalue",
    "futuremarketvalue",
    "corporatebondsmarketvalue",
    "warrantsmarketvalue",
    "interest",
    "moneyfunds",
    "funds",
    "issueroptionsmarketvalue",
    "stockoptionmarketvalue",
    "futuresonlypnl",
    "tbondsmarketvalue",
    "futureoptionmarketvalue",
    "cashbalancefxsegment",
    "tbillsmarketvalue",
    "dividends",
    "cryptocurrencyvalue",
)


@router.get("/portfolio/accounts")
async def accounts(world: WorldDep) -> Json:
    """List the accounts; has to come before the other portfolio reads."""
    world.session.portfolio_accounts_asked = True
    return [_account()]


@router.get("/portfolio/{account}/summary")
async def summary(world: WorldDep, account: str) -> Json:
    """Return the account's amounts, by lower-case names."""
    check_account(account)
    if _not_yet(world):
        return {}
    now = world.time.now()
    stamp = wire.epoch_ms(now)
    amounts = _amounts(world)
    texts = {"accountcode": ACCOUNT, "accounttype": "INDIVIDUAL"}
    return {
        **{
            name: _summary_row(ZERO, stamp) | {"currency": None, "value": value}
            for name, value in texts.items()
        },
        **{name: _summary_row(amount, stamp) for name, amount in amounts.items()},
        **{f"{name}-s": _summary_row(amount, stamp) for name, amount in amounts.items()},
    }


@router.get("/portfolio/{account}/ledger")
async def ledger(world: WorldDep, account: str) -> Json:
    """Return the cash of the account by currency."""
    check_account(account)
    if _not_yet(world):
        return {}
    row = _ledger(world)
    base = {**row, "currency": "BASE", "secondkey": "BASE"}
    return {"USD": row, "BASE": base}


@router.get("/portfolio/{account}/positions/{page}")
async def positions(world: WorldDep, account: str, page: int) -> Json:
    """Return a page of positions, the first being 0."""
    check_account(account)
    if _not_yet(world):
        return []
    held = world.book.positions(world.time.now())
    return [_position(world, p) for p in held[page * _PAGE : (page + 1) * _PAGE]]


@router.post("/portfolio/{account}/positions/invalidate")
async def invalidate(account: str) -> Json:
    """Forget the cache of positions; there is none here."""
    check_account(account)
    return {"message": "success"}


def _not_yet(world: World) -> bool:
    first = world.settings.switches.portfolio_accounts_first
    return first and not world.session.portfolio_accounts_asked


def _mark(world: World, position: Position) -> Decimal:
    last = world.market.last(position.symbol, world.time.now())
    return position.average_cost if last is None else last


def _amounts(world: World) -> dict[str, Decimal]:
    now = world.time.now()
    fills, held = world.book.fills(now), world.book.positions(now)
    values = [position.quantity * _mark(world, position) for position in held]
    total_cash = cash(fills)
    net = total_cash + sum(values, ZERO)
    gross = sum((abs(value) for value in values), ZERO)
    margin = gross * INITIAL_MARGIN
    return {
        "availablefunds": net - margin,
        "buyingpower": (net - margin) / INITIAL_MARGIN,
        "equitywithloanvalue": net,
        "excessliquidity": net - margin,
        "fullinitmarginreq": margin,
        "fullmaintmarginreq": margin,
        "grosspositionvalue": gross,
        "initmarginreq": margin,
        "maintmarginreq": margin,
        "netliquidation": net,
        "totalcashvalue": total_cash,
    }


def _summary_row(amount: Decimal, stamp: int) -> dict[str, Any]:
    return {
        "amount": wire.number(amount),
        "currency": "USD",
        "isNull": False,
        "timestamp": stamp,
        "value": None,
        "severity": 0,
    }


def _ledger(world: World) -> dict[str, Any]:
    now = world.time.now()
    fills, held = world.book.fills(now), world.book.positions(now)
    stocks = sum((p.quantity * _mark(world, p) for p in held), ZERO)
    cost = sum((p.quantity * p.average_cost for p in held), ZERO)
    balance = wire.number(cash(fills))
    return {
        **dict.fromkeys(_NO_VALUES, 0.0),
        "settledcash": balance,
        "exchangerate": 1,
        "sessionid": 1,
        "cashbalance": balance,
        "netliquidationvalue": wire.number(cash(fills) + stocks),
        "unrealizedpnl": wire.number(stocks - cost),
        "stockmarketvalue": wire.number(stocks),
        "currency": "USD",
        "realizedpnl": wire.number(world.book.realized(now)),
        "acctcode": ACCOUNT,
        "key": "LedgerList",
        "timestamp": int(now.timestamp()),
        "severity": 0,
        "secondkey": "USD",
        "endofbundle": 1,
    }


def _position(world: World, position: Position) -> dict[str, Any]:
    mark, quantity = _mark(world, position), position.quantity
    average = wire.number(position.average_cost)
    return {
        "acctId": ACCOUNT,
        "conid": position.conid,
        "contractDesc": position.symbol,
        "position": wire.number(quantity),
        "mktPrice": wire.number(mark),
        "mktValue": wire.number(mark * quantity),
        "currency": "USD",
        "avgCost": average,
        "avgPrice": average,
        "realizedPnl": wire.number(position.realized),
        "unrealizedPnl": wire.number((mark - position.average_cost) * quantity),
        "exchs": None,
        "expiry": None,
        "putOrCall": None,
        "multiplier": None,
        "strike": 0.0,
        "exerciseStyle": None,
        "conExchMap": [],
        "assetClass": "STK",
        "undConid": 0,
        "model": "",
    }


def _account() -> dict[str, Any]:
    return {
        "id": ACCOUNT,
        "PrepaidCrypto-Z": False,
        "PrepaidCrypto-P": False,
        "brokerageAccess": True,
        "accountId": ACCOUNT,
        "accountVan": ACCOUNT,
        "accountTitle": "",
        "displayName": ACCOUNT,
        "accountAlias": None,
        "accountStatus": 1702587600000,
        "currency": "USD",
        "type": "DEMO",
        "tradingType": "STKNOPT",
        "businessType": "IB_PROSERVE",
        "category": "",
        "ibEntity": "IBLLC-US",
        "faclient": False,
        "clearingStatus": "O",
        "covestor": False,
        "noClientTrading": False,
        "trackVirtualFXPortfolio": True,
        "acctCustType": "INDIVIDUAL",
        "parent": {
            "mmc": [],
            "accountId": "",
            "isMParent": False,
            "isMChild": False,
            "isMultiplex": False,
        },
        "desc": ACCOUNT,
    }
