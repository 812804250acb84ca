"""The order book of the account: placing, questions, cancelling, and filling as time goes by.

Nothing runs in the background: every read first settles what has happened since the last one, at
the instants at which it happened.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from services.simulator import questions
from services.simulator.account import INITIAL_MARGIN, ZERO, Fill, Position, cash, positions
from services.simulator.bars import bar_on
from services.simulator.errors import Refusal
from services.simulator.instruments import Contract, Instruments
from services.simulator.market import Market, Quote
from services.simulator.matching import first_touch, price_at_once
from services.simulator.settings import Switches
from services.simulator.tape import TapeRow
from services.simulator.tickets import Ticket, off_tick
from services.simulator.trading_days import exchange_date, hours

FIRST_ORDER_ID = 1370093239
_CLIENT_ID_LIFE = timedelta(hours=24)
WORKING = ("PreSubmitted", "Submitted")


@dataclass
class Order:
    """An order that the broker has registered. ``checked``: settled up to then."""

    id: int
    ticket: Ticket
    contract: Contract
    placed: datetime
    checked: datetime
    status: str = "PreSubmitted"
    fill: Fill | None = None
    changed: datetime | None = None

    @property
    def working(self) -> bool:
        """Whether it can still trade."""
        return self.status in WORKING


@dataclass
class _Pending:
    ticket: Ticket
    contract: Contract
    ids: list[str]
    row: TapeRow | None
    overtaken: bool = False


@dataclass
class OrderBook:
    """All orders of the one account since the simulator started."""

    market: Market
    instruments: Instruments
    switches: Switches
    _orders: dict[int, Order] = field(default_factory=dict)
    _fills: list[Fill] = field(default_factory=list)
    _pending: dict[str, _Pending] = field(default_factory=dict)

    def place(
        self, ticket: Ticket, now: datetime, suppressed: set[str], row: TapeRow | None
    ) -> Any:
        """Return the broker's answer to an order: an acknowledgement, a question or an error.

        Raises Refusal where the answer is no 200. A pending question of another order dies.
        """
        self.settle(now)
        self._overtake(now)
        contract = self._contract(ticket)
        if ticket.client_id is not None and self._knows(ticket.client_id, now):
            text = f"Order couldn't be submitted: Local order ID={ticket.client_id}"
            raise Refusal(
                self.switches.duplicate_order_status, {"error": f"{text} is already registered."}
            )
        if off_tick(ticket):
            return [_failed_row()]
        last = self.market.last(contract.symbol, now)
        asked = [q for q in questions.about(ticket, last) if q not in suppressed]
        pending = _Pending(ticket, contract, asked, row)
        return self._ask(pending) if asked else self._register(pending, now)

    def reply(self, reply_id: str, now: datetime, *, confirmed: bool) -> Any:
        """Return the answer to the answer of a question: the next one, or as for ``place``."""
        pending = self._pending.pop(reply_id, None)
        if pending is None:
            raise Refusal(400, {"error": f"reply id not found: '{reply_id}'"})
        if pending.overtaken:
            raise Refusal(503, {"error": "Service Unavailable", "statusCode": 503})
        if not confirmed:
            return {"error": "Order not confirmed "}
        del pending.ids[0]
        self.settle(now)
        return self._ask(pending) if pending.ids else self._register(pending, now)

    def cancel(self, order_id: int, now: datetime) -> Order:
        """Cancel a working order. Raises Refusal where there is none."""
        self.settle(now)
        order = self._orders.get(order_id)
        if order is None:
            status = self.switches.unknown_order_status
            raise Refusal(status, {"error": f"OrderID {order_id} doesn't exist"})
        if not order.working:
            raise Refusal(400, {"error": "Order is inactive"})
        order.status, order.changed = "Cancelled", now
        return order

    def order(self, order_id: int, now: datetime) -> Order | None:
        """Return one order as of now."""
        self.settle(now)
        return self._orders.get(order_id)

    def orders(self, now: datetime) -> list[Order]:
        """Return working orders and those that ended on this trading day, oldest first."""
        self.settle(now)
        today = exchange_date(now)
        return [o for o in self._orders.values() if o.working or exchange_date(_end(o)) == today]

    def fills(self, now: datetime) -> list[Fill]:
        """Return all fills up to now, oldest first."""
        self.settle(now)
        return list(self._fills)

    def positions(self, now: datetime) -> list[Position]:
        """Return the open positions."""
        return [p for p in positions(self.fills(now)).values() if p.quantity]

    def realized(self, now: datetime) -> Decimal:
        """Return the gains of closed positions, in dollars."""
        return sum((p.realized for p in positions(self.fills(now)).values()), ZERO)

    def available(self, now: datetime) -> Decimal:
        """Return the money that new positions can be opened with, in dollars."""
        held = [(p.quantity, self._mark(p, now)) for p in self.positions(now)]
        value = sum((quantity * price for quantity, price in held), ZERO)
        margin = sum((abs(quantity) * price for quantity, price in held), ZERO) * INITIAL_MARGIN
        return cash(self._fills) + value - margin

    def settle(self, now: datetime) -> None:
        """Let time pass up to now for every working order."""
        for order in self._orders.values():
            if order.working and order.checked < now:
                self._settle(order, now)
                order.checked = now

    def _mark(self, position: Position, now: datetime) -> Decimal:
        last = self.market.last(position.symbol, now)
        return position.average_cost if last is None else last

    def _contract(self, ticket: Ticket) -> Contract:
        contract = self.instruments.of_conid(ticket.conid)
        if contract is None:
            text = f"no sec defs returned forSecDef reqId=resolve ecReqByConid{ticket.conid}"
            raise Refusal(200, {"error": text})
        if not contract.is_us:
            raise Refusal(200, {"error": "No trading permissions."})
        return contract

    def _knows(self, client_id: str, now: datetime) -> bool:
        return any(
            order.ticket.client_id == client_id and now - order.placed < _CLIENT_ID_LIFE
            for order in self._orders.values()
        )

    def _overtake(self, now: datetime) -> None:
        for pending in self._pending.values():
            if not pending.overtaken and self.switches.overtaken_question_goes_live:
                self._register(pending, now)
            pending.overtaken = True

    def _ask(self, pending: _Pending) -> Any:
        reply_id = str(uuid4())
        self._pending[reply_id] = pending
        return [questions.wire(reply_id, pending.ids[0], pending.ticket, pending.contract)]

    def _register(self, pending: _Pending, now: datetime) -> Any:
        ticket, contract = pending.ticket, pending.contract
        quote = self.market.quote(contract.symbol, now)
        if self._lacks_funds(ticket, quote, now):
            text = "Your Available Funds are in sufficient to cover the change in the account's"
            return {"error": f"We are unable to accept your order. {text} margin requirements."}
        order = Order(FIRST_ORDER_ID + len(self._orders), ticket, contract, now, now)
        self._orders[order.id] = order
        if pending.row is not None:
            pending.row.accepted = True
        self._open(order, quote, now)
        return [_acknowledgement(order)]

    def _lacks_funds(self, ticket: Ticket, quote: Quote | None, now: datetime) -> bool:
        price = ticket.price or (quote.last if quote else None)
        if price is None:
            return False
        held = positions(self._fills).get(ticket.conid)
        quantity = held.quantity if held else ZERO
        signed = ticket.quantity if ticket.side == "BUY" else -ticket.quantity
        opened = abs(quantity + signed) - abs(quantity)
        return opened > 0 and opened * price * INITIAL_MARGIN > self.available(now)

    def _open(self, order: Order, quote: Quote | None, now: datetime) -> None:
        live = quote is not None and quote.live
        price = price_at_once(order.ticket, quote) if quote else None
        if live:
            order.status = "Submitted"
        if price is not None:
            self._fill(order, price, now)
        elif order.ticket.tif == "IOC" and live:
            order.status, order.changed = "Cancelled", now

    def _settle(self, order: Order, now: datetime) -> None:
        day, last = exchange_date(order.checked), exchange_date(now)
        while order.working and day <= last:
            self._trade(order, day, now)
            day += timedelta(days=1)

    def _trade(self, order: Order, day: date, now: datetime) -> None:
        bar = bar_on(self.market.bars, order.contract.symbol, day)
        session = hours(day)
        if bar is None or session.close <= order.checked or now < session.open:
            return
        order.status = "Submitted"
        after = (order.checked - session.open).total_seconds()
        until = (min(now, session.close) - session.open).total_seconds()
        path = self.market.path(order.contract.symbol, bar)
        if touch := first_touch(order.ticket, path.changes(after, until)):
            self._fill(order, touch.price, session.open + timedelta(seconds=touch.second))
        elif order.ticket.tif == "IOC":
            order.status, order.changed = "Cancelled", session.open
        elif order.ticket.tif == "DAY" and now >= session.close:
            order.status, order.changed = "Cancelled", session.close

    def _fill(self, order: Order, price: Decimal, at: datetime) -> None:
        ticket = order.ticket
        order.fill = Fill(
            execution_id=f"0000e0d5.{order.id:08x}.01.01",
            order_id=order.id,
            conid=ticket.conid,
            symbol=order.contract.symbol,
            side=ticket.side,
            quantity=ticket.quantity,
            price=price,
            at=at,
            client_id=ticket.client_id,
        )
        order.status, order.changed = "Filled", at
        self._fills.append(order.fill)
        self._fills.sort(key=lambda fill: fill.at)


def _end(order: Order) -> datetime:
    return order.changed or order.placed


def _acknowledgement(order: Order) -> dict[str, Any]:
    row = {
        "order_id": str(order.id),
        # What the order becomes right after is told by the list, not by the acknowledgement.
        "order_status": "Submitted" if order.status == "Filled" else order.status,
        "encrypt_message": "1",
    }
    if order.ticket.client_id is not None:
        row["local_order_id"] = order.ticket.client_id
    return row


def _failed_row() -> dict[str, Any]:
    text = "The price does not conform to the minimum price variation for this contract."
    return {"order_id": "-1", "order_status": "Failed", "text": text}
