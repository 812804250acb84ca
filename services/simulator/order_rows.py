"""Orders and fills as the endpoints list them; each endpoint has its own names and types."""

from decimal import Decimal
from typing import Any

from services.simulator import wire
from services.simulator.account import COMMISSION, ZERO, Fill
from services.simulator.book import Order
from services.simulator.session import ACCOUNT, USERNAME

_COLORS = {"bgColor": "#FFFFFF", "fgColor": "#0000CC"}


def list_row(order: Order) -> dict[str, Any]:
    """Return a row of /iserver/account/orders: orderId is a number, price a string."""
    ticket, contract = order.ticket, order.contract
    filled, changed = _filled(order), order.changed or order.placed
    row = {
        "acct": ACCOUNT,
        "conidex": str(ticket.conid),
        "conid": ticket.conid,
        "account": ACCOUNT,
        "orderId": order.id,
        "cashCcy": "USD",
        "sizeAndFills": str(filled) if order.fill else f"0/{ticket.quantity}",
        "orderDesc": _description(order),
        "description1": contract.symbol,
        "ticker": contract.symbol,
        "secType": "STK",
        "listingExchange": f"{contract.exchange}.NMS",
        "remainingQuantity": wire.number(ticket.quantity - filled),
        "filledQuantity": wire.number(filled),
        "totalSize": wire.number(ticket.quantity),
        "companyName": contract.name,
        "status": order.status,
        "order_ccp_status": order.status,
        "origOrderType": "LIMIT" if ticket.price is not None else "MARKET",
        "supportsTaxOpt": "1",
        "lastExecutionTime": wire.short_stamp(changed),
        "orderType": _type(order),
        **_COLORS,
        "isEventTrading": "0",
        "price": _price(ticket.price),
        "timeInForce": "CLOSE" if order.fill else ticket.tif,
        "lastExecutionTime_r": wire.epoch_ms(changed),
        "side": ticket.side,
    }
    if order.fill is not None:
        row["avgPrice"] = _price(order.fill.price)
    if ticket.client_id is not None:
        row["order_ref"] = ticket.client_id
    return row


def status_body(order: Order) -> dict[str, Any]:
    """Return /iserver/account/order/status/{id}: snake case, sizes as strings."""
    ticket, contract, filled = order.ticket, order.contract, _filled(order)
    return {
        "sub_type": None,
        "request_id": "209",
        "order_id": order.id,
        "conidex": str(ticket.conid),
        "conid": ticket.conid,
        "symbol": contract.symbol,
        "side": ticket.side[0],
        "contract_description_1": contract.symbol,
        "listing_exchange": f"{contract.exchange}.NMS",
        "is_event_trading": "0",
        "order_desc": _description(order),
        "order_status": order.status,
        "order_ccp_status": "2" if order.fill else "0",
        "order_type": "LIMIT" if ticket.price is not None else "Market",
        "size": str(ticket.quantity - filled),
        "total_size": str(ticket.quantity),
        "cum_fill": str(filled),
        "average_price": _price(order.fill.price) if order.fill else "",
        "limit_price": _price(ticket.price),
        "currency": "USD",
        "account": ACCOUNT,
        "tif": ticket.tif,
        "order_time": wire.short_stamp(order.placed),
        "company_name": contract.name,
        "sec_type": "STK",
        "order_ref": ticket.client_id,
        "cannot_cancel_order": not order.working,
        "order_not_editable": not order.working,
        "editable_fields": "\u001e",
        **_COLORS,
    }


def trade_row(fill: Fill, company: str, position: Decimal) -> dict[str, Any]:
    """Return a row of /iserver/account/trades: price and position are strings, size a number."""
    sign = "Bot" if fill.side == "BUY" else "Sold"
    return {
        "execution_id": fill.execution_id,
        "symbol": fill.symbol,
        "supports_tax_opt": "1",
        "side": fill.side[0],
        "order_description": f"{sign} {fill.quantity} @ {fill.price:.2f} on IEX",
        "trade_time": wire.stamp(fill.at),
        "trade_time_r": wire.epoch_ms(fill.at),
        "size": wire.number(fill.quantity),
        "price": f"{fill.price:.2f}",
        **({"order_ref": fill.client_id} if fill.client_id is not None else {}),
        "submitter": USERNAME,
        "exchange": "IEX",
        "commission": f"{COMMISSION:.1f}",
        "net_amount": wire.number(fill.quantity * fill.price),
        "account": ACCOUNT,
        "accountCode": ACCOUNT,
        "account_allocation_name": ACCOUNT,
        "company_name": company,
        "contract_description_1": fill.symbol,
        "sec_type": "STK",
        "listing_exchange": "NASDAQ.NMS",
        "conid": fill.conid,
        "conidEx": str(fill.conid),
        "position": str(position),
        "clearing_id": "IB",
        "clearing_name": "IB",
        "liquidation_trade": "0",
        "is_event_trading": "0",
        "order_id": fill.order_id,
    }


def _filled(order: Order) -> Decimal:
    return order.fill.quantity if order.fill else ZERO


def _type(order: Order) -> str:
    return "Limit" if order.ticket.price is not None else "Market"


def _price(price: Decimal | None) -> str:
    return "" if price is None else f"{price:.2f}"


def _description(order: Order) -> str:
    ticket = order.ticket
    verb = "Buy" if ticket.side == "BUY" else "Sell"
    price = f" {_price(ticket.price)}" if ticket.price is not None else ""
    tif = "Day" if ticket.tif == "DAY" else ticket.tif
    return f"{verb} {ticket.quantity} {_type(order)}{price}, {tif}"
