"""What every service's ``build_app`` starts from."""

from sqlalchemy import Table

from shared.concurrent import middlewares
from shared.db import make_autocommit, make_engine, make_sessions
from shared.kafka import make_broker
from shared.log import set_up_logging
from shared.market_time import make_clock
from shared.recorded import Recorded
from shared.settings import Settings
from shared.stage import Stage


def make_stage(settings: Settings, *, service: str, recorded: Table, concurrency: int = 1) -> Stage:
    """Return the stage of a service from its settings; nothing connects yet.

    ``concurrency`` is the number of messages that the service works on at once.
    """
    set_up_logging(settings.log_level)
    engine = make_engine(settings.database, name=service)
    return Stage(
        service=service,
        broker=make_broker(settings, service=service, middlewares=middlewares(concurrency)),
        sessions=make_sessions(engine),
        autocommit=make_autocommit(engine),
        recorded=Recorded(recorded),
        clock=make_clock(settings.market_time.record),
        ordinal=settings.ordinal,
        concurrency=concurrency,
    )
