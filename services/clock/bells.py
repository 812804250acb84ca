"""The bells: one ``market.session`` each, and the release of the runs that waited for it."""

import asyncio
import uuid
from functools import partial
from time import monotonic

import structlog

from services.clock.calendar import EXCHANGE, TradingSession, session_at
from services.clock.handlers import release
from shared.backoff import until_it_works
from shared.events.base import NAMESPACE
from shared.events.run import RunAccepted
from shared.events.state import MarketSession
from shared.holding import Holding
from shared.stage import Stage
from shared.sweep import add_pending, publish_now

# How soon after the instant a bell is noticed, on the wall.
_TICK_S = 0.1
# How often held runs are looked at between bells.
_LOOK_S = 1.0
log = structlog.get_logger(__name__)


async def ring(stage: Stage, holding: Holding[RunAccepted]) -> None:
    """Watch the exchange until cancelled."""
    told: TradingSession | None = None
    looked_at = -_LOOK_S
    while True:
        trading = session_at(EXCHANGE, stage.clock.now())
        rang = told is None or trading.next_bell != told.next_bell
        if rang:
            await until_it_works(partial(_tell, stage, trading))
            told = trading
        if rang or monotonic() - looked_at >= _LOOK_S:
            await until_it_works(partial(_let_go, stage, holding, trading))
            looked_at = monotonic()
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
    await publish_now(stage, bell_id)


async def _let_go(stage: Stage, holding: Holding[RunAccepted], trading: TradingSession) -> None:
    await holding.expire(stage.clock.now())
    if trading.is_open:
        await holding.release(lambda run: release(stage, run))
