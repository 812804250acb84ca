"""The api over HTTP; what goes wrong is one line for a person."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from cli.errors import CommandError, Exit
from cli.ledger import LedgerEntry, read_entry

_ANSWER_S = 30.0
_RECONNECT_S = 0.2
# A proxy of the environment is for the world, never for this machine.
_DIRECT: dict[str, None] = {"all://127.0.0.1": None, "all://localhost": None}


class UnansweredError(CommandError):
    """The api could not be asked, or failed."""


class RefusedError(CommandError):
    """The api refused; ``status`` is that of HTTP."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason, Exit.REFUSED)
        self.status = status


@dataclass(frozen=True)
class Api:
    """An api, and the token that it wants. Without ``transport`` it is asked over the network."""

    url: str
    token: str | None
    transport: httpx.BaseTransport | None = None

    def get(self, path: str, **query: Any) -> Any:
        """Return the JSON answer. Raises UnansweredError and RefusedError."""
        return self._json("GET", path, params=query)

    def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Return the JSON answer. Raises UnansweredError and RefusedError."""
        return self._json("POST", path, json=dict(body))

    def run(self, run_id: str) -> dict[str, Any]:
        """Return a run as ``GET /runs/{run_id}`` shows it."""
        found: dict[str, Any] = self.get(_path(run_id))
        return found

    def events(self, run_id: str) -> list[LedgerEntry]:
        """Return what the ledger holds of a run so far."""
        return [read_entry(row) for row in self.event_rows(run_id)]

    def event_rows(self, run_id: str) -> list[dict[str, Any]]:
        """Return the same as REST shows it."""
        rows: list[dict[str, Any]] = self.get(_path(run_id, "/events"))
        return rows

    def follow(self, run_id: str, deadline: float) -> Iterator[LedgerEntry]:
        """Yield the events of a run as they come, each once, and return at its end.

        ``deadline`` is of ``time.monotonic``; past it TimeoutError is raised. An api that goes away
        on the way is asked again.
        """
        seen: set[int] = set()
        while True:
            try:
                for entry in self._stream(run_id, deadline):
                    if entry.id not in seen:
                        seen.add(entry.id)
                        yield entry
                    if entry.type == "run.finished":
                        return
            except UnansweredError:
                if not seen:
                    raise
            if time.monotonic() >= deadline:
                raise TimeoutError
            time.sleep(_RECONNECT_S)

    def _stream(self, run_id: str, deadline: float) -> Iterator[LedgerEntry]:
        left = max(deadline - time.monotonic(), 0.001)
        with self._client(httpx.Timeout(_ANSWER_S, read=left)) as client:
            try:
                with client.stream("GET", _path(run_id, "/stream")) as answer:
                    self._raise_for(answer)
                    for line in answer.iter_lines():
                        if line.startswith("data: "):
                            yield read_entry(json.loads(line.removeprefix("data: ")))
            except httpx.ReadTimeout as e:
                raise TimeoutError from e

    def _json(self, method: str, path: str, **content: Any) -> Any:
        with self._client(httpx.Timeout(_ANSWER_S)) as client:
            answer = client.request(method, path, **content)
            self._raise_for(answer)
            try:
                return answer.json()
            except ValueError as e:
                raise UnansweredError(self._not_the_api()) from e

    @contextmanager
    def _client(self, timeout: httpx.Timeout) -> Iterator[httpx.Client]:
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            with httpx.Client(
                base_url=self.url,
                headers=headers,
                timeout=timeout,
                mounts=_DIRECT,
                transport=self.transport,
            ) as client:
                yield client
        except (httpx.TransportError, httpx.InvalidURL) as e:
            why = f"expected the api at {self.url}, found {_words(e)}; run './openbell up'"
            raise UnansweredError(why) from e

    def _raise_for(self, answer: httpx.Response) -> None:
        if answer.is_success:
            return
        answer.read()
        try:
            problem = answer.json()
            reason, code = str(problem["detail"]), str(problem["code"])
        except (ValueError, KeyError, TypeError):
            raise UnansweredError(f"{self._not_the_api()} (HTTP {answer.status_code})") from None
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise UnansweredError(f"{reason} ({code})")
        raise RefusedError(answer.status_code, f"{reason} ({code})")

    def _not_the_api(self) -> str:
        return f"expected the openbell api at {self.url}, found another answer; is the URL right?"


def _path(run_id: str, rest: str = "") -> str:
    return f"/runs/{quote(run_id, safe='')}{rest}"


def _words(error: Exception) -> str:
    """Return why a connection failed as a person says it."""
    if isinstance(error, httpx.TimeoutException):
        return "no answer in time"
    text = str(error) or type(error).__name__
    return "connection refused" if "refused" in text.lower() else text
