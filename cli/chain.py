"""The hash chain of a run's ledger, computed again. No I/O."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cli.retell import Difference
from services.api.entry import GENESIS, Entry


def broken_link(rows: Sequence[dict[str, Any]]) -> Difference | None:
    """Return the first row, as REST shows it, whose hash is not that of what it holds."""
    previous = GENESIS
    for row in rows:
        computed = _entry(row).hash_after(previous)
        label = f"{row['type']} {row['symbol'] or ''}".strip()
        if row["previous_hash"] != previous:
            return Difference(label, "previous_hash", row["previous_hash"], previous)
        if row["hash"] != computed:
            return Difference(label, "hash", row["hash"], computed)
        previous = row["hash"]
    return None


def _entry(row: dict[str, Any]) -> Entry:
    return Entry(
        event_id=uuid.UUID(row["event_id"]),
        run_id=None,
        symbol=row["symbol"],
        type=row["type"],
        topic=row["topic"],
        partition=row["partition"],
        offset=row["offset"],
        timestamp=datetime.fromisoformat(row["timestamp"]),
        source=row["source"],
        key=row["key"],
        headers=row["headers"],
        body=row["raw"],
    )
