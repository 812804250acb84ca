"""The steps ``accept`` and ``finish``."""

import uuid
from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncSession

from services.api import store
from services.api.admission import Admitter
from services.api.closing import (
    decision_hash_of,
    outcome_of_failure,
    outcome_of_order,
    status_of,
)
from services.api.request import Refusal
from shared.envelope import Cause
from shared.events.base import NAMESPACE
from shared.events.order import OrderChanged
from shared.events.request import RunRequested
from shared.events.run import RunFinished, RunRejected, StepFailed, SymbolOutcome
from shared.failures import PoisonError
from shared.stage import Results, Stage
from shared.topics import ORDER_CHANGED, RUN_REQUESTED, STEP_FAILED

_LONGEST_ID = 64


def register(stage: Stage, admitter: Admitter, cluster: Callable[[], str]) -> None:
    """Subscribe both steps. ``cluster`` is the id of the Kafka cluster, part of made-up run ids."""

    @stage.on_transaction(RUN_REQUESTED, step="accept")
    async def accept(cause: Cause[RunRequested], session: AsyncSession) -> Results:
        position = f"{cluster()}|{cause.source}|{cause.timestamp}"
        run_id = str(uuid.uuid5(NAMESPACE, position))
        try:
            admission = await admitter.admit(
                session, cause.event.fields, run_id=run_id, source=cause.source
            )
        except Refusal as refusal:
            return [_rejected(stage, cause, refusal, run_id)]
        return [admission.accepted] if admission.new else []

    @stage.on_transaction(ORDER_CHANGED, step="finish", closes=True)
    async def close_on_order(cause: Cause[OrderChanged], session: AsyncSession) -> Results:
        outcome = outcome_of_order(cause.event)
        if outcome is None:
            return []
        return await _close(stage, session, cause.event.run_id, lambda _: [outcome])

    @stage.on_transaction(STEP_FAILED, step="finish", closes=True)
    async def close_on_failure(cause: Cause[StepFailed], session: AsyncSession) -> Results:
        failed = cause.event

        def outcomes(run: store.Run) -> list[SymbolOutcome]:
            symbols = [failed.symbol] if failed.symbol else run.open_symbols
            return [outcome_of_failure(failed, symbol) for symbol in symbols]

        return await _close(stage, session, failed.run_id, outcomes)


async def _close(
    stage: Stage,
    session: AsyncSession,
    run_id: str,
    outcomes: Callable[[store.Run], list[SymbolOutcome]],
) -> Results:
    """Close symbols of a run, and the run with its last one, whatever the order of arrival."""
    run = await store.find_run(session, run_id, lock=True)
    if run is None or not run.open_symbols:
        return []
    new = [outcome for outcome in outcomes(run) if outcome.symbol in run.open_symbols]
    for outcome in new:
        await store.close_symbol(session, run_id, outcome)
    if len(new) < len(run.open_symbols):
        return []
    finished = _finished(stage, run, [*run.outcomes, *new])
    await store.finish_run(session, finished)
    return [finished]


def _finished(stage: Stage, run: store.Run, outcomes: list[SymbolOutcome]) -> RunFinished:
    """Return the end of a run, its symbols in the order of the request."""
    order = run.accepted.symbols.index
    outcomes.sort(key=lambda outcome: order(outcome.symbol))
    return RunFinished(
        **stage.stamp(),
        run_id=run.accepted.run_id,
        status=status_of(outcomes),
        decision_hash=decision_hash_of(outcomes),
        symbols=tuple(outcomes),
    )


def _rejected(
    stage: Stage, cause: Cause[RunRequested], refusal: Refusal, run_id: str
) -> RunRejected:
    """Return the answer to who asked on the bus. A reused id is poison: that run is another's."""
    if refusal.code == "run_id_reused":
        raise PoisonError(refusal.code, refusal.reason) from refusal
    given = cause.event.fields.get("run_id")
    return RunRejected(
        **stage.stamp(),
        run_id=given if isinstance(given, str) and len(given) <= _LONGEST_ID else run_id,
        code=refusal.code,
        reason=refusal.reason,
        request=_small(cause.event.fields),
        source=cause.source,
    )


def _small(fields: dict[str, object]) -> dict[str, object] | None:
    """Return the request where it is of a size to be sent back, else None."""
    largest = 10_000
    return fields if len(str(fields)) <= largest else None
