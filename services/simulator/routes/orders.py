"""Orders and trades."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel

from services.simulator.account import COMMISSION, INITIAL_MARGIN, ZERO
from services.simulator.errors import Refusal
from services.simulator.order_rows import list_row, status_body, trade_row
from services.simulator.routes.deps import (
    ACCOUNTS_FIRST,
    BROKERAGE,
    Json,
    WorldDep,
    check_account,
)
from services.simulator.session import ACCOUNT
from services.simulator.tickets import Ticket, read_ticket
from services.simulator.world import World

router = APIRouter(dependencies=BROKERAGE)

_MOST_DAYS = 7
_MOST_SUPPRESSED = 51


class ReplyRequest(BaseModel):
    """Body of a reply."""

    confirmed: bool


class SuppressRequest(BaseModel):
    """Body of suppress."""

    messageIds: list[str] = []  # noqa: N815  # the broker's name


@router.get("/iserver/account/orders", dependencies=ACCOUNTS_FIRST)
async def orders(world: WorldDep, *, force: bool = False) -> Json:
    """List this trading day's orders. The first answer of a session is empty and says so."""
    session = world.session
    if not session.orders_asked or force:
        session.orders_asked = True
        return {"orders": [], "snapshot": False}
    rows = [list_row(order) for order in world.book.orders(world.time.now())]
    return {"orders": rows, "snapshot": True}


@router.get("/iserver/account/trades")
async def trades(world: WorldDep, days: int = 1) -> Json:
    """List the fills of the last days. The first answer of a session is empty."""
    if not world.session.trades_asked:
        world.session.trades_asked = True
        return []
    now = world.time.now()
    since = now - timedelta(days=max(1, min(days, _MOST_DAYS)))
    position: dict[int, Decimal] = {}
    rows = []
    for fill in world.book.fills(now):
        position[fill.conid] = position.get(fill.conid, ZERO) + fill.signed
        contract = world.instruments.of_conid(fill.conid)
        if fill.at > since and contract is not None:
            rows.append(trade_row(fill, contract.name, position[fill.conid]))
    return rows


@router.post("/iserver/account/{account}/orders")
async def place(world: WorldDep, request: Request, account: str) -> Json:
    """Place an order."""
    check_account(account)
    ticket = read_ticket(await _body(request))
    row = getattr(request.state, "order_row", None)
    return world.book.place(ticket, world.time.now(), world.session.suppressed, row)


@router.post("/iserver/account/{account}/orders/whatif")
async def what_if(world: WorldDep, request: Request, account: str) -> Json:
    """Tell what an order would cost."""
    check_account(account)
    return _what_if(world, read_ticket(await _body(request)))


@router.post("/iserver/reply/{reply_id}")
async def reply(world: WorldDep, reply_id: str, body: ReplyRequest) -> Json:
    """Answer a question."""
    return world.book.reply(reply_id, world.time.now(), confirmed=body.confirmed)


@router.get("/iserver/account/order/status/{order_id}")
async def order_status(world: WorldDep, order_id: int) -> Json:
    """Tell about one order."""
    order = world.book.order(order_id, world.time.now())
    if order is None:
        raise Refusal(503, {"error": "Service Unavailable", "statusCode": 503})
    return status_body(order)


@router.delete("/iserver/account/{account}/order/{order_id}")
async def cancel(world: WorldDep, account: str, order_id: int) -> Json:
    """Ask for a cancel; -1 is all orders."""
    check_account(account)
    now = world.time.now()
    answer = {"msg": "Request was submitted", "order_id": order_id}
    if order_id == -1:
        for order in world.book.orders(now):
            if order.working:
                world.book.cancel(order.id, now)
        return {**answer, "conid": -1, "account": None}
    order = world.book.cancel(order_id, now)
    return {**answer, "conid": order.ticket.conid, "account": ACCOUNT}


@router.post("/iserver/questions/suppress")
async def suppress(world: WorldDep, body: SuppressRequest) -> Json:
    """Suppress questions for this session."""
    if not 0 < len(body.messageIds) <= _MOST_SUPPRESSED:
        raise Refusal(500, {"error": "messageIds must not be empty"})
    world.session.suppressed.update(body.messageIds)
    return {"status": "submitted"}


@router.post("/iserver/questions/suppress/reset")
async def reset_suppressed(world: WorldDep) -> Json:
    """Ask all questions again."""
    world.session.suppressed.clear()
    return {"status": "submitted"}


async def _body(request: Request) -> Any:
    try:
        return json.loads(await request.body(), parse_float=Decimal)
    except ValueError:
        raise Refusal(400, {"error": "Failed to parse body as JSON"}) from None


def _what_if(world: World, ticket: Ticket) -> dict[str, Any]:
    now = world.time.now()
    contract = world.instruments.of_conid(ticket.conid)
    last = world.market.last(contract.symbol, now) if contract and contract.is_us else None
    price = ticket.price or last
    if contract is None or price is None:
        return {"error": "NA", "warn": "21/You are trying to submit an order without market data"}
    held = {position.conid: position.quantity for position in world.book.positions(now)}
    before = held.get(ticket.conid, ZERO)
    signed = ticket.quantity if ticket.side == "BUY" else -ticket.quantity
    amount = price * ticket.quantity
    margins = [abs(size) * price * INITIAL_MARGIN for size in (before, before + signed)]
    equity = world.book.available(now) + margins[0]
    return {
        "amount": {
            "amount": f"{amount:,.2f} USD ({ticket.quantity} Shares)",
            "commission": f"{COMMISSION} USD",
            "total": f"{amount + COMMISSION:,.2f} USD",
        },
        "equity": _change(equity, equity - COMMISSION),
        "initial": _change(*margins),
        "maintenance": _change(*margins),
        "position": _change(before, before + signed),
        "warn": None,
        "error": None,
    }


def _change(current: Decimal, after: Decimal) -> dict[str, str]:
    return {
        "current": f"{current:,.0f}",
        "change": f"{after - current:,.0f}",
        "after": f"{after:,.0f}",
    }
