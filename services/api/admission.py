"""Admission of a run: one function, for REST and for the topic."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.api import store
from services.api.catalog import Catalog
from services.api.request import Refusal, judge
from shared.events.run import RunAccepted
from shared.stage import Stage


@dataclass(frozen=True)
class Admission:
    """The run that a request led to; ``new`` is False for a repeat."""

    accepted: RunAccepted
    new: bool


@dataclass(frozen=True)
class Admitter:
    """Admits run-requests into the runs of this deployment."""

    stage: Stage
    catalog: Catalog
    max_symbols: int

    async def admit(
        self,
        session: AsyncSession,
        fields: Mapping[str, Any],
        *,
        run_id: str,
        source: str,
    ) -> Admission:
        """Add the run, within the caller's transaction; who calls publishes ``accepted`` if new.

        ``run_id`` is the one of a request that names none. A repeat with the same content is the
        same run. Raises Refusal, with code ``run_id_reused`` for a repeat with another content.
        """
        judged = judge(fields, self.catalog, max_symbols=self.max_symbols)
        accepted = RunAccepted(
            **self.stage.stamp(),
            run_id=judged.run_id or run_id,
            expires_at=judged.context.deadline,
            symbols=judged.symbols,
            context=judged.context,
            source=source,
        )
        if await store.add_run(session, accepted, judged.request_hash):
            return Admission(accepted, new=True)
        before = await store.find_run(session, accepted.run_id)
        if before is None or before.request_hash != judged.request_hash:
            reason = f"run {accepted.run_id} exists with another request; choose another run_id"
            raise Refusal("run_id_reused", reason)
        return Admission(before.accepted, new=False)
