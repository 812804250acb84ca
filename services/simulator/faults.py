"""Faults that a test puts in force: what each means, and which requests it strikes.

``{"faults": [{"kind": "drop", "path": "orders$", "when": "after", "count": 1}, ...]}``. ``path`` is
a regular expression, searched in the path under the base (``iserver/marketdata/snapshot``, ``ws``);
``method`` narrows it. ``count`` is how many requests it strikes before it ends; without it, it
stays. With ``when: "after"`` the request is carried out first: an order is placed, and its answer
is lost. Faults apply in the order of the list.
"""

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from services.simulator.snapshot import ASK, BID, UPDATED, Row, bare_row

_QUOTES = "iserver/marketdata/snapshot$|^ws$"
_AUTH = "iserver/auth/|iserver/reauthenticate$|tickle$|^ws$"


class _Fault(BaseModel):
    model_config = ConfigDict(extra="forbid")

    path: str = ""
    method: Literal["GET", "POST", "DELETE"] | None = None
    count: int | None = Field(default=None, ge=1)

    @field_validator("path")
    @classmethod
    def _is_regex(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as e:
            msg = f"expected a regular expression: {e}"
            raise ValueError(msg) from e
        return value

    def strikes(self, method: str, path: str) -> bool:
        """Whether the fault applies to a request."""
        return self.method in (None, method) and re.search(self.path, path) is not None


class _Timed(_Fault):
    when: Literal["before", "after"] = "before"


class Delay(_Timed):
    """The answer takes this much longer."""

    kind: Literal["delay"]
    seconds: float = Field(gt=0, le=3600)


class Status(_Timed):
    """Another answer; a text as it stands, anything else as JSON, nothing as an empty body."""

    kind: Literal["status"]
    status: int = Field(ge=200, le=599)
    body: Any = None


class Drop(_Timed):
    """The connection is cut without an answer."""

    kind: Literal["drop"]


class Hang(_Timed):
    """No answer comes; the connection stays open until the client leaves."""

    kind: Literal["hang"]


class Html(_Timed):
    """The login page, with status 200."""

    kind: Literal["html"]


class LoggedOut(_Fault):
    """There is no login."""

    kind: Literal["logged_out"]


class NoBridge(_Fault):
    """There is no brokerage session."""

    kind: Literal["no_bridge"]
    path: str = "^iserver/(?!auth/|reauthenticate)"


class Competing(_Fault):
    """Another program uses the same username."""

    kind: Literal["competing"]
    path: str = _AUTH


class EmptySnapshot(_Fault):
    """Rows without any value, as on a first call."""

    kind: Literal["empty_snapshot"]
    path: str = _QUOTES


class CrossedQuote(_Fault):
    """Bid and ask change places."""

    kind: Literal["crossed_quote"]
    path: str = _QUOTES


class StaleUpdated(_Fault):
    """Quotes that claim to be this old."""

    kind: Literal["stale_updated"]
    path: str = _QUOTES
    age_s: int = Field(default=3600, gt=0)


class BadBars(_Fault):
    """Bars whose high and low have changed places."""

    kind: Literal["bad_bars"]
    path: str = "iserver/marketdata/history$"


Fault = Annotated[
    Delay
    | Status
    | Drop
    | Hang
    | Html
    | LoggedOut
    | NoBridge
    | Competing
    | EmptySnapshot
    | CrossedQuote
    | StaleUpdated
    | BadBars,
    Field(discriminator="kind"),
]


class FaultList(BaseModel):
    """The body of ``/__sim__/faults``."""

    model_config = ConfigDict(extra="forbid")

    faults: list[Fault] = Field(default_factory=list)

    def claim(self, method: str, path: str) -> list[Fault]:
        """Return the faults that strike a request; those that are used up end with it."""
        struck = [fault for fault in self.faults if fault.strikes(method, path)]
        for fault in struck:
            if fault.count is not None:
                fault.count -= 1
        self.faults = [fault for fault in self.faults if fault.count != 0]
        return struck


def spoil_quote(row: Row, faults: Iterable[Fault]) -> Row:
    """Return a snapshot row as the faults leave it."""
    for fault in faults:
        if isinstance(fault, EmptySnapshot):
            row = bare_row(row["conid"])
        elif isinstance(fault, CrossedQuote) and BID in row and ASK in row:
            row = {**row, BID: row[ASK], ASK: row[BID]}
        elif isinstance(fault, StaleUpdated) and UPDATED in row:
            row = {**row, UPDATED: row[UPDATED] - fault.age_s * 1000}
    return row


def spoil_bar(bar: dict[str, float], faults: Iterable[Fault]) -> dict[str, float]:
    """Return a bar of history as the faults leave it; a bar without a range gets one, inverted."""
    if not any(isinstance(fault, BadBars) for fault in faults):
        return bar
    high, low = bar["l"], bar["h"]
    return {**bar, "h": high, "l": low if low > high else round(high + 0.01, 2)}
