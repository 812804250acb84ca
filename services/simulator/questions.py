"""What the broker asks before it takes an order, in its own words."""

from decimal import Decimal
from typing import Any

from services.simulator.instruments import Contract
from services.simulator.matching import is_far
from services.simulator.tickets import Ticket

FAR_PRICE, NO_DATA = "o163", "o354"


def about(ticket: Ticket, last: Decimal | None) -> list[str]:
    """Return the ids of the questions that an order raises, in the order of asking."""
    if last is None:
        return [NO_DATA]
    return [FAR_PRICE] if is_far(ticket, last) else []


def wire(reply_id: str, message_id: str, ticket: Ticket, contract: Contract) -> dict[str, Any]:
    """Return a question as a row of the answer to an order."""
    return {
        "id": reply_id,
        "message": [_text(message_id, ticket, contract)],
        "isSuppressed": False,
        "messageIds": [message_id],
        "messageOptions": ["Yes", "No"],
    }


def _text(message_id: str, ticket: Ticket, contract: Contract) -> str:
    if message_id == NO_DATA:
        return (
            "You are submitting an order without market data. We strongly recommend against this "
            "as it may result in erroneous and unexpected trades.\n"
            "Are you sure you want to submit this order?"
        )
    named = f"{ticket.side} {ticket.quantity} {contract.symbol} {contract.exchange}.NMS"
    return (
        f'The following order "{named} @ {ticket.price}" price exceeds \n'
        "the Percentage constraint of 3%.\nAre you sure you want to submit this order?"
    )
