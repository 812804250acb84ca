"""The tape of order requests: one row per order POST received, whatever became of it."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any


@dataclass
class TapeRow:
    """One POST. ``time`` is market time; ``answer`` None: none was given.

    ``accepted`` says whether an order of it was registered, be it after a question.
    """

    cOID: str | None  # noqa: N815  # the public shape of /__sim__/orders
    time: str
    body: Any
    answer: Any = None
    accepted: bool = False


class Tape:
    """Rows in the order of arrival."""

    def __init__(self) -> None:
        self._rows: list[TapeRow] = []

    def open(self, body: bytes, now: datetime) -> TapeRow:
        """Add a row for a request that has just come in."""
        try:
            parsed = json.loads(body)
        except ValueError:
            parsed = body.decode(errors="replace")
        row = TapeRow(_client_order_id(parsed), now.isoformat(), parsed)
        self._rows.append(row)
        return row

    def rows(self) -> list[dict[str, Any]]:
        """Return all rows as JSON."""
        return [asdict(row) for row in self._rows]


def _client_order_id(body: Any) -> str | None:
    orders = body.get("orders") if isinstance(body, dict) else None
    first = orders[0] if isinstance(orders, list) and orders else None
    found = first.get("cOID") if isinstance(first, dict) else None
    return found if isinstance(found, str) else None
