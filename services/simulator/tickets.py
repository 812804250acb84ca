"""Reading an order request: what is asked for, or the broker's exact words of refusal."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from services.simulator.bars import CENT
from services.simulator.errors import Refusal

Side = Literal["BUY", "SELL"]
OrderType = Literal["LMT", "MKT"]
Tif = Literal["DAY", "GTC", "IOC"]


@dataclass(frozen=True, slots=True)
class Ticket:
    """One order as asked for. ``price`` is the limit in dollars; None for a market order."""

    conid: int
    side: Side
    order_type: OrderType
    quantity: Decimal
    tif: Tif
    price: Decimal | None = None
    client_id: str | None = None


def read_ticket(body: Any) -> Ticket:
    """Return the one order of a request body. Raises Refusal with the broker's status and text."""
    orders = body.get("orders") if isinstance(body, dict) else None
    if not isinstance(orders, list) or not orders or not isinstance(orders[0], dict):
        raise Refusal(400, {"error": "orders request includes parameter with incorrect type"})
    if len(orders) > 1:
        # Brackets and OCA groups are not simulated; unrelated orders in bulk the broker refuses.
        raise Refusal(400, {"error": "Bulk orders are not supported"})
    order = orders[0]
    order_type = _order_type(order)
    return Ticket(
        conid=_conid(order),
        side=_side(order),
        order_type=order_type,
        quantity=_quantity(order),
        tif=_tif(order),
        price=_limit(order) if order_type == "LMT" else None,
        client_id=_text(order, "cOID"),
    )


def off_tick(ticket: Ticket) -> bool:
    """Whether the limit is no whole number of cents."""
    return ticket.price is not None and ticket.price % CENT != 0


def _conid(order: dict[str, Any]) -> int:
    value = order.get("conid")
    if value is None:
        head = str(order.get("conidex", "")).partition("@")[0]
        value = int(head) if head.isdigit() else None
    if value is None:
        raise Refusal(400, {"error": "conid or conidex is required"})
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong_type()
    return value


def _side(order: dict[str, Any]) -> Side:
    match order.get("side"):
        case "BUY":
            return "BUY"
        case "SELL":
            return "SELL"
        case _:
            raise Refusal(400, {"error": "Invalid Side (must be 'BUY' or 'SELL')."})


def _order_type(order: dict[str, Any]) -> OrderType:
    match order.get("orderType"):
        case "LMT":
            return "LMT"
        case "MKT":
            return "MKT"
        case _:
            raise Refusal(400, {"error": "Unknown order type"})


def _tif(order: dict[str, Any]) -> Tif:
    match order.get("tif"):
        case "DAY":
            return "DAY"
        case "GTC":
            return "GTC"
        case "IOC":
            return "IOC"
        case None:
            text = "null time in force is not supported for this order"
        case other:
            text = f"{other} time in force is not supported for this order"
    raise Refusal(200, {"error": text})


def _quantity(order: dict[str, Any]) -> Decimal:
    quantity = _number(order, "quantity")
    if quantity is None or quantity <= 0 or quantity != int(quantity):
        text = f"The size, {quantity}, does not conform to the minimum variation of 1"
        raise Refusal(200, {"error": f"{text} for this contract."})
    return quantity


def _limit(order: dict[str, Any]) -> Decimal:
    price = _number(order, "price")
    if price is None or price <= 0:
        raise Refusal(200, {"error": "Invalid order price fields"})
    return price


def _number(order: dict[str, Any], name: str) -> Decimal | None:
    value = order.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise _wrong_type()
    return Decimal(value)


def _text(order: dict[str, Any], name: str) -> str | None:
    value = order.get(name)
    if value is not None and not isinstance(value, str):
        raise _wrong_type()
    return value


def _wrong_type() -> Refusal:
    return Refusal(400, {"error": "orders request includes parameter with incorrect type"})
