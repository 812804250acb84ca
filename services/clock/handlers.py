"""The step ``market_open``: a run goes on when its exchange is open, and waits until then."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.clock.calendar import (
    TradingSession,
    UnknownExchangeError,
    closed_days,
    expiry,
    session_at,
)
from shared.envelope import Cause
from shared.events.base import Event
from shared.events.run import RunAccepted, RunMarketOpen, RunWaiting
from shared.failures import StepFailedError
from shared.holding import Holding
from shared.stage import Results, Stage
from shared.topics import RUN_ACCEPTED

STEP = "market_open"


def register(stage: Stage, holding: Holding[RunAccepted]) -> None:
    """Subscribe the step."""

    @stage.on_transaction(RUN_ACCEPTED, step=STEP)
    async def wait_for_the_bell(cause: Cause[RunAccepted], session: AsyncSession) -> Results:
        run = cause.event
        trading = _session_of(stage, run)
        if trading.is_open:
            return [market_open(stage, run, trading, waited=False)]
        await holding.hold(session, cause)
        return [_waiting(stage, run, trading)]


async def release(stage: Stage, run: RunAccepted) -> Event:
    """Return what a held run becomes once the bell has rung."""
    return market_open(stage, run, _session_of(stage, run), waited=True)


def market_open(
    stage: Stage, run: RunAccepted, trading: TradingSession, *, waited: bool
) -> RunMarketOpen:
    """Return the event that lets a run go on, with the time at which it expires."""
    stamp = stage.stamp()
    return RunMarketOpen(
        **stamp,
        run_id=run.run_id,
        expires_at=expiry(stamp["market_time"], trading.close, run.context.deadline),
        symbols=run.symbols,
        context=run.context,
        exchange=trading.exchange,
        session_open=trading.open,
        session_close=trading.close,
        closed_days=closed_days(trading.exchange, trading.open.date()),
        waited=waited,
    )


def _waiting(stage: Stage, run: RunAccepted, trading: TradingSession) -> RunWaiting:
    return RunWaiting(
        **stage.stamp(),
        run_id=run.run_id,
        expires_at=run.expires_at,
        step=STEP,
        reason=f"{trading.exchange} is closed until {trading.open.isoformat()}",
        until=trading.open,
    )


def _session_of(stage: Stage, run: RunAccepted) -> TradingSession:
    try:
        return session_at(run.context.strategy.exchange, stage.clock.now())
    except UnknownExchangeError as e:
        raise StepFailedError("unknown_exchange", str(e)) from e
