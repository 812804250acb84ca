"""The step ``broker_ready``: a run goes on when the broker's session is ready, and waits for it."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.gateway.login import Login
from shared.envelope import Cause
from shared.events.base import Event
from shared.events.run import RunBrokerReady, RunMarketOpen, RunWaiting
from shared.holding import Holding
from shared.stage import Results, Stage
from shared.topics import RUN_MARKET_OPEN

STEP = "broker_ready"


def register(stage: Stage, holding: Holding[RunMarketOpen], login: Login) -> None:
    """Subscribe the step."""

    @stage.on_transaction(RUN_MARKET_OPEN, step=STEP)
    async def wait_for_the_broker(cause: Cause[RunMarketOpen], session: AsyncSession) -> Results:
        run = cause.event
        if login.seen.ready:
            return [broker_ready(stage, run, login)]
        await holding.hold(session, cause)
        return [_waiting(stage, run, login)]


def broker_ready(stage: Stage, run: RunMarketOpen, login: Login) -> Event:
    """Return the event that lets a run go on, with the accounts of the login."""
    return RunBrokerReady(
        **stage.stamp(),
        run_id=run.run_id,
        expires_at=run.expires_at,
        symbols=run.symbols,
        context=run.context,
        session_close=run.session_close,
        closed_days=run.closed_days,
        accounts=login.seen.accounts,
        paper=login.seen.paper,
    )


def _waiting(stage: Stage, run: RunMarketOpen, login: Login) -> RunWaiting:
    return RunWaiting(
        **stage.stamp(),
        run_id=run.run_id,
        expires_at=run.expires_at,
        step=STEP,
        reason=f"{login.seen.state}: {login.seen.why}",
    )
