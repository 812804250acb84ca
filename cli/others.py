"""Which records of a run's ledger are of others: any client may write what names a run. No I/O."""

import json
from collections.abc import Sequence

from cli.rows import OURS, Row
from shared.events.dead_letter import DeadLetter
from shared.topics import BY_NAME


def without_others(rows: Sequence[Row]) -> list[Row]:
    """Return the rows without the records of others, which no service acted on.

    Any client may write anything that names a run. What was buried and what is no event at all is
    no part of the run, unless a service wrote it: that was an event once.
    """
    letters = [event for row in rows if isinstance(event := row.event, DeadLetter)]
    buried = {f"{e.topic}/{e.partition}/{e.offset}" for e in letters}
    return [row for row in rows if not _is_of_others(row, buried)]


def _is_of_others(row: Row, buried: set[str]) -> bool:
    # The ledger has only rows that name a run; one that does not any more was edited.
    if row.topic not in BY_NAME or row.entry.run_id is None:
        return False
    no_event, dead = row.event is None, row.position in buried
    return (no_event and dead) or ((no_event or dead) and not _by_a_service(row))


def _by_a_service(row: Row) -> bool:
    """Whether a row has both the name of a service and the id that only this event of a run has."""
    if not row.headers.get("ce_source", "").startswith(OURS):
        return False
    try:
        event = row.event or BY_NAME[row.topic].event.model_construct(**json.loads(row.raw))
        own_id = event.event_id
    except (AttributeError, TypeError, ValueError):
        return False
    return own_id == row.event_id
