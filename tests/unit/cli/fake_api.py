"""An api that holds one run, for commands to ask."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx

from cli.client import Api
from shared.events.base import Event
from shared.events.run import RunFinished
from tests.unit.cli.builders import RUN, SYMBOLS, WALL, a_row

URL = "http://api.test"


@dataclass
class FakeApi:
    """Answers as the api does; ``asked`` holds what it was asked for."""

    events: Sequence[Event]
    asked: list[httpx.Request] = field(default_factory=list)

    def api(self) -> Api:
        return Api(URL, "secret-token", httpx.MockTransport(self._answer))

    def rows(self) -> list[dict[str, Any]]:
        return [a_row(e, i, i * timedelta(milliseconds=5)) for i, e in enumerate(self.events)]

    def view(self) -> dict[str, Any]:
        """The run as ``GET /runs/{run_id}`` shows it."""
        finished = next((e for e in self.events if isinstance(e, RunFinished)), None)
        known = {s.symbol: s.model_dump(mode="json") for s in finished.symbols} if finished else {}
        unknown = {"outcome": None, "code": None, "reason": None}
        return {
            "run_id": RUN,
            "status": finished.status if finished else "running",
            "mode": "dry_run",
            "strategy_id": 1,
            "strategy": "momentum-llm",
            "decision_hash": finished.decision_hash if finished else None,
            "accepted_at": WALL.isoformat(),
            "finished_at": (WALL + timedelta(seconds=2)).isoformat() if finished else None,
            "waiting": None,
            "symbols": [known.get(s, {"symbol": s} | unknown) for s in SYMBOLS],
        }

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answers: dict[tuple[str, str], Callable[[], httpx.Response]] = {
            ("POST", "/runs"): lambda: httpx.Response(202, json={"run_id": RUN, "new": True}),
            ("GET", "/runs"): lambda: httpx.Response(200, json=[self.view()]),
            ("GET", f"/runs/{RUN}"): lambda: httpx.Response(200, json=self.view()),
            ("GET", f"/runs/{RUN}/events"): lambda: httpx.Response(200, json=self.rows()),
            ("GET", f"/runs/{RUN}/stream"): self._stream,
        }
        found = answers.get((request.method, request.url.path))
        return found() if found else problem(404, "unknown_run", "no such run")

    def _stream(self) -> httpx.Response:
        rows = "".join(f"id: {r['id']}\ndata: {json.dumps(r)}\n\n" for r in self.rows())
        return httpx.Response(200, text=rows)


def problem(status: int, code: str, reason: str) -> httpx.Response:
    return httpx.Response(status, json={"code": code, "detail": reason, "status": status})


def api_that(answer: Callable[[httpx.Request], httpx.Response]) -> Api:
    return Api(URL, None, httpx.MockTransport(answer))
