"""``broker.session``: the state of the login, said every five seconds and at each change."""

from datetime import timedelta
from typing import Any

import structlog

from services.gateway.login import Login, LoginState
from shared.envelope import encode
from shared.events.state import BrokerSession
from shared.failures import is_ours
from shared.kafka import publish
from shared.stage import Stage

EVERY_S = 5.0
# Three beats missed: the state is unknown.
_VALID_FOR = timedelta(seconds=15)
log = structlog.get_logger(__name__)


async def beat(stage: Stage, login: Login, *, simulated: bool) -> None:
    """Publish until cancelled. A beat that Kafka did not take is lost: the next is newer."""
    while True:
        event = broker_session(stage.stamp(), login.seen, simulated=simulated)
        try:
            await publish(stage.broker, encode(event, source=stage.service))
        except Exception as e:
            if not is_ours(e):
                raise
            log.warning("broker session not published", why=repr(e))
        await login.changed(EVERY_S)


def broker_session(stamp: dict[str, Any], seen: LoginState, *, simulated: bool) -> BrokerSession:
    """Return the entry of the state topic for a login, valid for three beats."""
    return BrokerSession(
        **stamp,
        state=seen.state,
        since=seen.since,
        why=seen.why,
        valid_until=stamp["occurred_at"] + _VALID_FOR,
        accounts=seen.accounts,
        paper=seen.paper,
        simulated=simulated,
    )
