"""The public input: a request for a run, as anyone may write it by hand."""

from typing import Any, ClassVar

from pydantic import ConfigDict

from shared.events.base import Event


class RunRequested(Event):
    """A run-request as it arrived: any JSON object. The api judges it (``services.api.request``).

    It is the one event without our times and id: those who write it have no need to know them.
    """

    type: ClassVar[str] = "run.requested"
    has_own_id: ClassVar[bool] = False
    model_config = ConfigDict(frozen=True, extra="allow")

    occurred_at: Any = None
    market_time: Any = None

    @property
    def fields(self) -> dict[str, Any]:
        """Return exactly the fields that the request held."""
        ours = {n: getattr(self, n) for n in type(self).model_fields if n in self.model_fields_set}
        return {**ours, **(self.__pydantic_extra__ or {})}

    def identity(self) -> tuple[object, ...]:
        return (self.fields.get("run_id"),)

    def key(self) -> str:
        return str(self.fields.get("run_id") or "")
