"""A quote as a row of market data: field numbers, prefixes, and what a first call leaves out."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from services.simulator import wire
from services.simulator.instruments import Contract
from services.simulator.market import Quote

Row = dict[str, Any]

SERVER_ID = "q1"
LAST, BID, ASK, UPDATED = "31", "84", "86", "_updated"

_REALTIME, _FROZEN, _NO_DATA = "RpB", "ZBd", "N"


def bare_row(conid: int) -> Row:
    """Return what the first call for a contract answers."""
    return {"conid": conid, "conidEx": str(conid)}


def row(contract: Contract, quote: Quote | None, fields: Iterable[str]) -> Row:
    """Return the asked fields of a quote. A value that is not known has no key."""
    known = {**_identity(contract), **(_values(quote) if quote else {})}
    answer: Row = {field: known[field] for field in fields if known.get(field) is not None}
    if "87" in answer and quote is not None and quote.volume is not None:
        answer["87_raw"] = float(quote.volume)
    if quote is None:
        return {**answer, "6509": _NO_DATA, **bare_row(contract.conid), "server_id": SERVER_ID}
    return {
        **answer,
        "6119": SERVER_ID,
        "6509": _REALTIME if quote.live else _FROZEN,
        UPDATED: wire.epoch_ms(quote.at),
        **bare_row(contract.conid),
        "server_id": SERVER_ID,
    }


def _identity(contract: Contract) -> Row:
    return {
        "55": contract.symbol,
        "58": contract.name,
        "6004": contract.exchange,
        "6008": contract.conid,
        "6070": "STK",
        "7051": contract.name,
        "7221": contract.exchange,
    }


def _values(quote: Quote) -> Row:
    last = wire.price(quote.last)
    return {
        LAST: last if quote.live else f"C{last}",
        "70": _price(quote.high),
        "71": _price(quote.low),
        "82": _price(_change(quote)),
        "83": _percent(quote),
        BID: _price(quote.bid),
        "85": _size(quote.ask_size),
        ASK: _price(quote.ask),
        "87": None if quote.volume is None else wire.volume(quote.volume),
        "88": _size(quote.bid_size),
        "7059": _size(quote.last_size),
        "7282": wire.volume(quote.average_volume),
        "7295": _price(quote.open),
        "7296": _price(quote.close),
        "7741": _price(quote.prior_close),
        "7762": None if quote.volume is None else str(quote.volume),
    }


def _price(value: Decimal | None) -> str | None:
    return None if value is None else wire.price(value)


def _size(value: int | None) -> str | None:
    return None if value is None else wire.size(value)


def _change(quote: Quote) -> Decimal | None:
    return None if quote.prior_close is None else quote.last - quote.prior_close


def _percent(quote: Quote) -> str | None:
    change = _change(quote)
    if change is None or not quote.prior_close:
        return None
    return f"{change / quote.prior_close * 100:.2f}%"
