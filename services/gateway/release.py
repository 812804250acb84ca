"""The runs that wait for the broker: let go when it is ready, ended when their time is over."""

import asyncio

from services.gateway.handlers import broker_ready
from services.gateway.login import Login
from shared.backoff import until_it_works
from shared.events.base import Event
from shared.events.run import RunMarketOpen
from shared.holding import Holding
from shared.stage import Stage

# Who waits for a login has waited for a person: half a second more is nothing.
_TICK_S = 0.5


async def keep_releasing(stage: Stage, holding: Holding[RunMarketOpen], login: Login) -> None:
    """Look after the held runs until cancelled."""

    async def release(run: RunMarketOpen) -> Event:
        return broker_ready(stage, run, login)

    async def let_go() -> None:
        await holding.expire(stage.clock.now())
        if login.seen.ready:
            await holding.release(release)

    while True:
        await until_it_works(let_go)
        await asyncio.sleep(_TICK_S)
