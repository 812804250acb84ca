"""The book of an account: what a fill does to cash and position. Pure; shares and US dollars."""

from decimal import Decimal
from typing import Literal

from shared.events.order import AccountSnapshot, Fill, Position

Side = Literal["BUY", "SELL"]
# As the tables keep money, so that what was computed and what was stored are the same.
_PLACES = Decimal("0.000001")


def held(snapshot: AccountSnapshot, symbol: str) -> Decimal:
    """Return the shares held of a symbol; negative where short, zero where there is none."""
    position = _position(snapshot, symbol)
    return Decimal(0) if position is None else position.quantity


def equity(snapshot: AccountSnapshot) -> Decimal:
    """Return cash and positions, these at their average price."""
    return snapshot.cash + sum(
        (p.quantity * p.average_price for p in snapshot.positions), Decimal(0)
    )


def exposure(snapshot: AccountSnapshot, symbol: str, price: Decimal) -> Decimal:
    """Return what is at stake in all positions, short ones too.

    Those of ``symbol`` count at the higher of their average price and ``price``, the market's; of
    the others no price is known here, and they count at their average.
    """
    return sum((abs(p.quantity) * _worth(p, symbol, price) for p in snapshot.positions), Decimal(0))


def apply(snapshot: AccountSnapshot, symbol: str, side: Side, fill: Fill) -> AccountSnapshot:
    """Return the account after a fill; positions by symbol, none that is flat."""
    signed = fill.quantity if side == "BUY" else -fill.quantity
    after = _filled(_position(snapshot, symbol), symbol, signed, fill.price)
    others = [p for p in snapshot.positions if p.symbol != symbol]
    positions = others if after.quantity == 0 else [*others, after]
    return AccountSnapshot(
        account=snapshot.account,
        cash=snapshot.cash - signed * fill.price,
        positions=tuple(sorted(positions, key=lambda p: p.symbol)),
    )


def _filled(before: Position | None, symbol: str, signed: Decimal, price: Decimal) -> Position:
    """Average the price by weight when opening, keep it when closing, start anew when turning."""
    if before is None:
        return Position(symbol=symbol, quantity=signed, average_price=price)
    quantity = before.quantity + signed
    average = before.average_price
    if before.quantity * signed > 0:
        cost = before.quantity * average + signed * price
        average = (cost / quantity).quantize(_PLACES)
    elif before.quantity * quantity < 0:
        average = price
    return Position(symbol=symbol, quantity=quantity, average_price=average)


def _worth(position: Position, symbol: str, price: Decimal) -> Decimal:
    average = position.average_price
    return max(average, price) if position.symbol == symbol else average


def _position(snapshot: AccountSnapshot, symbol: str) -> Position | None:
    return next((p for p in snapshot.positions if p.symbol == symbol), None)
