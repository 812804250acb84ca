"""The hash chain of a run's ledger, computed again. No I/O."""

from collections.abc import Sequence

from cli.differences import Difference
from cli.rows import Row
from services.api.entry import GENESIS, Entry


def broken_link(rows: Sequence[Row]) -> Difference | None:
    """Return the first row whose hash is not that of what it holds."""
    previous = GENESIS
    for row in rows:
        computed = _entry(row).hash_after(previous)
        if row.previous_hash != previous:
            return Difference(row.label, "previous_hash", row.previous_hash, previous)
        if row.hash != computed:
            return Difference(row.label, "hash", row.hash, computed)
        previous = row.hash
    return None


def _entry(row: Row) -> Entry:
    """Return a row as it stands, and not as it follows from its record."""
    return Entry(
        event_id=row.event_id,
        run_id=None,
        symbol=row.symbol,
        type=row.type,
        topic=row.topic,
        partition=row.partition,
        offset=row.offset,
        timestamp=row.timestamp,
        source=row.source,
        key=row.key,
        headers=row.headers,
        body=row.raw,
    )
