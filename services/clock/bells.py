"""The bells: one ``market.session`` each, and the release of the runs that waited for it."""

import asyncio
import uuid

import structlog

from services.clock.calendar import EXCHANGE, TradingSession, session_at
from services.clock.handlers import release
from shared.backoff import until_it_works
from shared.events.base import NAMESPACE
from shared.events.run import RunAccepted
from shared.events.state import MarketSession
from shared.holding import Holding
from shared.stage import Stage
from shared.sweep import add_pending, sweep

# A held run leaves at most this long after the bell, on the wall.
_TICK_S = 0.1
log = structlog.get_logger(__name__)


async def ring(stage: Stage, holding: Holding[RunAccepted]) -> None:
    """Watch the exchange until cancelled."""
    told: TradingSession | None = None
    while True:
        trading = session_at(EXCHANGE, stage.clock.now())
        if told is None or trading.next_bell != told.next_bell:
            await until_it_works(lambda now=trading: _tell(stage, now))
            told = trading
        await until_it_works(lambda now=trading: _let_go(stage, holding, now))
        await asyncio.sleep(_TICK_S)


async def _tell(stage: Stage, trading: TradingSession) -> None:
    """Record and publish the state of the exchange; again after a restart, under the same id."""
    event = MarketSession(
        **stage.stamp(),
        exchange=trading.exchange,
        state="open" if trading.is_open else "closed",
        at=trading.since,
        valid_until=trading.next_bell,
    )
    bell_id = uuid.uuid5(NAMESPACE, f"bell|{trading.exchange}|{trading.since.isoformat()}")
    log.info("market session", exchange=trading.exchange, state=event.state)
    async with stage.sessions.begin() as session:
        await add_pending(stage, session, bell_id, [event])
    await sweep(stage)


async def _let_go(stage: Stage, holding: Holding[RunAccepted], trading: TradingSession) -> None:
    await holding.expire(stage.clock.now())
    if trading.is_open:
        await holding.release(lambda run: release(stage, run))
