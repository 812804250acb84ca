"""A run's rows as they are told to who follows it: its end last, whatever came in first. Pure."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]
_END = "run.finished"
_CLOSING = {"order.changed", "step.failed"}
# Who follows is not kept waiting for what may never come.
_PATIENCE_S = 2.0


@dataclass
class Following:
    """What one follower was told so far. ``seen`` is the newest id of the ledger."""

    seen: int = 0
    over: bool = False
    _closed: set[str | None] = field(default_factory=set)
    _end: Row | None = None
    _end_seen_at: float = 0.0

    def take(self, rows: Iterable[Row], now: float) -> Iterator[Row]:
        """Yield rows in the order to be told; ``now`` is monotonic seconds."""
        for row in rows:
            self.seen = row["id"]
            if row["type"] == _END:
                if self._end is None:
                    self._end, self._end_seen_at = row, now
                continue
            if row["type"] in _CLOSING:
                self._closed.add(row["symbol"])
            yield row
        if self._end is not None and (self._all_told(self._end) or self._waited(now)):
            self.over = True
            yield self._end

    def _all_told(self, end: Row) -> bool:
        # A step that failed for the whole run names no symbol.
        return None in self._closed or _symbols(end["body"]) <= self._closed

    def _waited(self, now: float) -> bool:
        return now - self._end_seen_at >= _PATIENCE_S


def _symbols(body: str) -> set[str | None]:
    try:
        return {symbol["symbol"] for symbol in json.loads(body)["symbols"]}
    except (ValueError, KeyError, TypeError, RecursionError):
        return set()
