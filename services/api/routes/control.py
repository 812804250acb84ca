"""The halt switch."""

import asyncio
from http import HTTPStatus

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.api.problems import ProblemError
from shared.envelope import encode
from shared.events.state import ControlSwitch
from shared.kafka import publish
from shared.stage import Stage


class SwitchRequest(BaseModel):
    """``scope`` is ``deployment``, ``account:<id>`` or ``strategy:<id>``."""

    model_config = ConfigDict(extra="forbid")

    scope: str = Field(
        default="deployment",
        pattern=r"^(deployment|account:[A-Za-z0-9:_-]+|strategy:\d+)$",
    )
    why: str = Field(default="by hand", max_length=200)


# How long an answer waits for Kafka.
_PUBLISH_S = 5.0
# Without a body the whole deployment is meant.
_DEPLOYMENT = SwitchRequest()


def routes(stage: Stage) -> APIRouter:
    """Return the routes under ``/control``."""
    router = APIRouter(prefix="/control", tags=["control"])

    async def switch(state: str, request: SwitchRequest) -> ControlSwitch:
        event = ControlSwitch.model_validate(
            {**stage.stamp(), "state": state, "by": "rest", **request.model_dump()}
        )
        try:
            async with asyncio.timeout(_PUBLISH_S):
                await publish(stage.broker, encode(event, source=stage.service))
        except TimeoutError as e:
            reason = (
                f"Kafka did not confirm within {_PUBLISH_S:g} s; {request.scope} may still become "
                f"{state}: say it again until it is confirmed"
            )
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "not_confirmed", reason) from e
        return event

    @router.post("/halt")
    async def halt(
        request: SwitchRequest = _DEPLOYMENT,
    ) -> ControlSwitch:
        """Block new orders of a scope."""
        return await switch("halted", request)

    @router.post("/resume")
    async def resume(
        request: SwitchRequest = _DEPLOYMENT,
    ) -> ControlSwitch:
        """Allow new orders of a scope again."""
        return await switch("running", request)

    return router
