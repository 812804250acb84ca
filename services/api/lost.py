"""Runs that nobody answers for: long after their end, with nothing under way, they are ``lost``.

Whoever holds a run past its expiry says so. Where nobody did, something lost the run: an alarm.
"""

import json
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from services.api import ledger, store
from shared.events.base import NAMESPACE
from shared.events.run import StepFailed
from shared.market_time import wall_now
from shared.stage import Stage
from shared.sweep import add_pending, alone, every

STEP, CODE = "finish", "lost"
# Market time after the expiry, and wall time without any event of the run.
LONG_AFTER = timedelta(minutes=15)
QUIET_FOR = timedelta(minutes=10)
_EVERY_S = 30.0
log = structlog.get_logger(__name__)


async def keep_looking(stage: Stage) -> None:
    """Look for lost runs until cancelled."""
    await every(_EVERY_S, lambda: close_lost(stage))


async def close_lost(stage: Stage) -> list[str]:
    """Fail the step of every lost run, which closes it; return their ids."""
    lost = []
    async with stage.sessions.begin() as session:
        if not await alone(session, f"lost:{stage.service}"):
            return []
        running = await store.running_since(session, wall_now() - QUIET_FOR)
        for run_id in await ledger.with_expiry(session, running):
            why = why_lost(await ledger.of_run(session, run_id), stage.clock.now(), wall_now())
            if why is None:
                continue
            failed = StepFailed(
                **stage.stamp(), run_id=run_id, step=STEP, code=CODE, reason=why, attempts=0
            )
            once = uuid.uuid5(NAMESPACE, f"{CODE}|{run_id}")
            if await add_pending(stage, session, once, [failed]):
                log.error("a run was lost", run_id=run_id, why=why)
                lost.append(run_id)
    return lost


def why_lost(rows: Sequence[dict[str, Any]], market_now: datetime, now: datetime) -> str | None:
    """Say why a run that is not closed is lost, or None. ``rows``: its ledger, oldest first.

    A run that waits for its bell has no expiry yet and is never lost.
    """
    expiries = [found for row in rows if (found := _expiry(row["body"])) is not None]
    if not expiries or now - rows[-1]["timestamp"] < QUIET_FOR:
        return None
    if market_now - LONG_AFTER < expiries[-1]:
        return None
    return (
        f"expected an outcome by {expiries[-1].isoformat()} market time, found {rows[-1]['type']} "
        "as the last event; see the logs of the step after it, then ask for another run"
    )


def _expiry(body: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(json.loads(body)["expires_at"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    # Anybody may write into a run's ledger; ours are aware.
    return found if found.tzinfo else None
