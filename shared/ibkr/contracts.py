"""Which instrument a symbol is: exactly one US stock, verified. Never the first hit."""

from decimal import Decimal
from typing import Any

from shared.events.base import Fact
from shared.events.evidence import Contract
from shared.ibkr.errors import AmbiguousContractError, BadAnswerError, UnknownSymbolError
from shared.ibkr.wire import conid, decimal


class Candidate(Fact):
    """A listing of a symbol, as ``/trsrv/stocks`` tells it."""

    conid: int
    exchange: str
    company: str


class Increment(Fact):
    """From this price up, prices move in steps of ``step``."""

    lower_edge: Decimal
    step: Decimal


class Instrument(Fact):
    """A verified contract with all its price increments; worth keeping."""

    symbol: str
    conid: int
    exchange: str
    currency: str
    company: str
    increments: tuple[Increment, ...]

    def at(self, price: Decimal) -> Contract:
        """Return the contract with the increment that holds at a price. Raises BadAnswerError."""
        return Contract(
            symbol=self.symbol,
            conid=self.conid,
            exchange=self.exchange,
            currency=self.currency,
            company=self.company,
            tick=tick(self.increments, price),
        )


def resolve(symbol: str, stocks: Any) -> Candidate:
    """Return the one US stock in the answer of ``/trsrv/stocks``.

    Raises UnknownSymbolError, AmbiguousContractError (which lists the candidates), BadAnswerError.
    """
    if not isinstance(stocks, dict):
        msg = f"/trsrv/stocks: expected an object by symbol, found a {type(stocks).__name__}"
        raise BadAnswerError(msg)
    found = [
        Candidate(conid=number, exchange=str(listing.get("exchange")), company=str(row.get("name")))
        for row in _rows(stocks.get(symbol))
        if row.get("assetClass") == "STK"
        for listing in _rows(row.get("contracts"))
        if listing.get("isUS") is True and (number := conid(listing.get("conid"))) is not None
    ]
    if not found:
        msg = f"the broker knows no US stock {symbol}: check the symbol"
        raise UnknownSymbolError(msg)
    if len(found) > 1:
        listed = "; ".join(f"{c.conid} {c.company} ({c.exchange})" for c in found)
        msg = f"expected exactly one US stock {symbol}, found {len(found)}: {listed}"
        raise AmbiguousContractError(msg)
    return found[0]


def verify(symbol: str, candidate: Candidate, secdef: Any) -> Instrument:
    """Return the candidate as an instrument once the broker's other source agrees with it.

    ``secdef`` is the answer of ``/trsrv/secdef``. Raises BadAnswerError, which names the
    difference.
    """
    row = _definition(candidate.conid, secdef)
    expected = {"ticker": symbol, "currency": "USD", "assetClass": "STK"}
    found = {name: row.get(name) for name in expected}
    if found != expected:
        msg = f"contract {candidate.conid}: expected {expected}, found {found}"
        raise BadAnswerError(msg)
    return Instrument(
        symbol=symbol,
        conid=candidate.conid,
        exchange=candidate.exchange,
        currency="USD",
        company=candidate.company,
        increments=_increments(candidate.conid, row),
    )


def tick(increments: tuple[Increment, ...], price: Decimal) -> Decimal:
    """Return the step of the highest edge that is not above the price. Raises BadAnswerError."""
    below = [rule for rule in increments if rule.lower_edge <= price]
    if not below:
        msg = f"expected a price increment at {price}, found only {increments}"
        raise BadAnswerError(msg)
    return max(below, key=lambda rule: rule.lower_edge).step


def _definition(number: int, secdef: Any) -> dict[str, Any]:
    rows = _rows(secdef.get("secdef")) if isinstance(secdef, dict) else []
    mine = [row for row in rows if conid(row.get("conid")) == number]
    if len(mine) != 1:
        msg = f"/trsrv/secdef: expected one definition of {number}, found {len(mine)}"
        raise BadAnswerError(msg)
    return mine[0]


def _increments(number: int, definition: dict[str, Any]) -> tuple[Increment, ...]:
    rules = _rows(definition.get("incrementRules"))
    edges = [(decimal(rule.get("lowerEdge")), decimal(rule.get("increment"))) for rule in rules]
    found = tuple(
        Increment(lower_edge=edge, step=step)
        for edge, step in edges
        if edge is not None and step is not None and step > 0
    )
    if not found or len(found) != len(rules):
        msg = f"/trsrv/secdef: expected price increments of {number}, found {rules}"
        raise BadAnswerError(msg)
    return found


def _rows(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list; what is none of that is not there."""
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
