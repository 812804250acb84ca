"""A row of ``/iserver/marketdata/snapshot`` as a quote, or what is missing for one."""

from dataclasses import dataclass
from typing import Any

from shared.events.evidence import Quote
from shared.ibkr.errors import BadAnswerError
from shared.ibkr.wire import Number, conid, decimal, instant, number

LAST, BID, ASK = "31", "84", "86"
# 85 is the ask's size and 88 the bid's: both are shares, not prices.
ASK_SIZE, BID_SIZE = "85", "88"
VOLUME, PRIOR_CLOSE, AVAILABILITY = "7762", "7741", "6509"
FIELDS = (LAST, BID, ASK, ASK_SIZE, BID_SIZE, VOLUME, PRIOR_CLOSE, AVAILABILITY)

_PRICES = {LAST: "last", BID: "bid", ASK: "ask"}
_FLAGS = {"C": "the previous close, not a trade of today", "H": "halted"}


@dataclass(frozen=True)
class NoQuote:
    """Why a row is no quote (yet): the first answers of a session are often empty."""

    why: str


def read(rows: Any, wanted: int) -> Quote | NoQuote:
    """Return the quote of a contract in an answer. Raises BadAnswerError where it is no list."""
    if not isinstance(rows, list):
        msg = f"snapshot: expected a list of rows, found a {type(rows).__name__}"
        raise BadAnswerError(msg)
    for row in rows:
        if isinstance(row, dict) and conid(row.get("conid")) == wanted:
            return _quote(row)
    return NoQuote(f"the broker sent no row for contract {wanted}")


def _quote(row: dict[str, Any]) -> Quote | NoQuote:
    prices = {field: number(row.get(field)) for field in _PRICES}
    unusable = [f"{_PRICES[f]} ({f}) is {why}" for f, n in prices.items() if (why := _flaw(n))]
    at, availability = instant(row.get("_updated")), row.get(AVAILABILITY)
    prior = decimal(row.get(PRIOR_CLOSE))
    if prior is None or prior <= 0:
        # Without it nothing says that quote and bars are of the same instrument.
        unusable.append(
            f"the prior close ({PRIOR_CLOSE}) is {'absent' if prior is None else prior}"
        )
    if at is None:
        unusable.append("the time (_updated) is absent")
    if not isinstance(availability, str) or not availability:
        unusable.append(f"the availability ({AVAILABILITY}) is absent")
    if unusable:
        return NoQuote("; ".join(unusable))
    return Quote.model_validate(
        {
            "last": _value(prices[LAST]),
            "bid": _value(prices[BID]),
            "ask": _value(prices[ASK]),
            "bid_size": decimal(row.get(BID_SIZE)),
            "ask_size": decimal(row.get(ASK_SIZE)),
            "prior_close": prior,
            "volume": decimal(row.get(VOLUME)),
            "at": at,
            "availability": availability,
        }
    )


def _flaw(price: Number | None) -> str | None:
    if price is None:
        return "absent"
    if price.flag:
        return _FLAGS[price.flag]
    return None if price.value > 0 else f"{price.value}, expected above zero"


def _value(price: Number | None) -> object:
    return None if price is None else price.value
