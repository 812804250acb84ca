"""Requests of others passed on to the broker; the same question at the same time is asked once."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx

from shared.ibkr.errors import TooManyRequestsError
from shared.merge import Merge

SNAPSHOT = "iserver/marketdata/snapshot"
_TOO_MANY, _BAD_GATEWAY, _GATEWAY_TIMEOUT = 429, 502, 504
Query = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Answer:
    """What goes back to the caller: the broker's own answer, or a problem+json of ours."""

    status: int
    content: bytes
    content_type: str
    retry_after: str | None = None


class Forwarder:
    """Passes requests on. A caller that goes away cancels nothing that another waits for."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._under_way: dict[tuple[str, Query], asyncio.Task[Answer]] = {}
        self._snapshots = Merge(self._snapshot)

    async def get(self, path: str, query: Query) -> Answer:
        """Ask the broker, or join those who are asking just this."""
        asked = dict(query)
        if path == SNAPSHOT and len(query) == len(asked) and asked.keys() == {"conids", "fields"}:
            conids = tuple(asked["conids"].split(","))
            answer = await self._snapshots.ask(conids, asked["fields"])
            return _rows_of(answer, conids)
        return await self._shared((path, tuple(sorted(query))))

    async def post(self, path: str, query: Query, body: bytes, content_type: str) -> Answer:
        """Pass a POST on, on its own."""
        headers = {"content-type": content_type} if content_type else {}
        return await self._send(
            lambda: self._http.post(path, params=query, content=body, headers=headers)
        )

    async def _shared(self, question: tuple[str, Query]) -> Answer:
        task = self._under_way.get(question)
        if task is None:
            path, query = question
            task = asyncio.create_task(self._send(lambda: self._http.get(path, params=query)))
            task.add_done_callback(lambda _: self._under_way.pop(question))
            self._under_way[question] = task
        return await asyncio.shield(task)

    async def _snapshot(self, conids: tuple[str, ...], fields: str) -> Answer:
        params = {"conids": ",".join(conids), "fields": fields}
        return await self._send(lambda: self._http.get(SNAPSHOT, params=params))

    async def _send(self, request: Callable[[], Awaitable[httpx.Response]]) -> Answer:
        try:
            found = await request()
        except TooManyRequestsError as e:
            wait = None if e.retry_after_s is None else f"{e.retry_after_s:.0f}"
            return problem(_TOO_MANY, "Held", e.reason, retry_after=wait)
        except httpx.TimeoutException as e:
            why = f"the broker did not answer in time ({type(e).__name__})"
            return problem(_GATEWAY_TIMEOUT, "Broker timed out", why)
        except httpx.HTTPError as e:
            why = f"the broker cannot be reached ({type(e).__name__}: {e})"
            return problem(_BAD_GATEWAY, "Broker unreachable", why)
        headers = found.headers
        content_type = headers.get("content-type", "")
        return Answer(found.status_code, found.content, content_type, headers.get("retry-after"))


def problem(status: int, title: str, detail: str, *, retry_after: str | None = None) -> Answer:
    """Return an RFC 9457 answer of the gateway's own."""
    body = {"title": title, "status": status, "detail": detail}
    return Answer(status, json.dumps(body).encode(), "application/problem+json", retry_after)


def _rows_of(answer: Answer, conids: tuple[str, ...]) -> Answer:
    """Return the part of a merged answer that is about these contracts; an error as it is."""
    try:
        rows = json.loads(answer.content)
    except ValueError:
        return answer
    if not isinstance(rows, list):
        return answer
    mine = [row for row in rows if isinstance(row, dict) and str(row.get("conid")) in conids]
    if len(mine) == len(rows):
        return answer
    return Answer(answer.status, json.dumps(mine).encode(), answer.content_type)
