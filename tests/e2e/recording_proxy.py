"""A reverse proxy before the model: keeps the bytes both ways, and can be a sick endpoint.

Illnesses go by symbol, so that one run shows several side by side.
"""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

import httpx

from deploy.native.kinship import tie_to
from deploy.native.ports import LOOPBACK, Ports
from tests.running import ROOT, until

_PATIENCE_S = 120


@dataclass(frozen=True)
class Reply:
    """What an endpoint says."""

    body: bytes
    status: int = 200


@dataclass(frozen=True)
class Exchange:
    """A request that came in, and what was said to it; None where nothing was."""

    request: bytes
    reply: Reply | None


# "hang": no reply comes; "drop": the connection is closed instead.
Illness = Reply | Literal["hang", "drop"]


def saying(answer: str) -> Reply:
    """Return a chat completion whose model said ``answer``."""
    body = {
        "choices": [{"message": {"content": answer}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 400, "completion_tokens": 40},
    }
    return Reply(json.dumps(body).encode())


@dataclass
class RecordingProxy:
    """Forwards to ``upstream``, a server's address without a path.

    Listens while ``serving``, on a port that it keeps.
    """

    upstream: str
    port: int = 0
    exchanges: list[Exchange] = field(default_factory=list)
    _ill: dict[str, Illness] = field(default_factory=dict)
    _closing: threading.Event = field(default_factory=threading.Event)
    _server: "_Server" = field(init=False)

    @property
    def base_url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}/v1"

    def about(self, symbol: str) -> list[Exchange]:
        """Return what was said on a symbol."""
        return [e for e in self.exchanges if _symbol_in(e.request) == symbol]

    @contextlib.contextmanager
    def ill(self, **by_symbol: Illness) -> Iterator[None]:
        """Be ill on these symbols for the block; the others reach the model."""
        before, self._ill = self._ill, self._ill | by_symbol
        try:
            yield
        finally:
            self._ill = before

    def meet(self, path: str, request: bytes) -> Reply | None:
        """Return the reply to a request; None: close without one."""
        reply = self._reply(path, request)
        self.exchanges.append(Exchange(request, reply))
        return reply

    def _reply(self, path: str, request: bytes) -> Reply | None:
        match self._ill.get(_symbol_in(request)):
            case None:
                headers = {"Content-Type": "application/json"}
                url = self.upstream + path
                found = httpx.post(url, content=request, headers=headers, timeout=_PATIENCE_S)
                return Reply(found.content, found.status_code)
            case "hang":
                self._closing.wait(_PATIENCE_S)
                return None
            case "drop":
                return None
            case Reply() as reply:
                return reply

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        """Listen for the block."""
        self._listen()
        try:
            yield
        finally:
            self._closing.set()
            self._close()

    @contextlib.contextmanager
    def refusing(self) -> Iterator[None]:
        """Refuse connections for the block: nobody listens on the port."""
        self._close()
        try:
            yield
        finally:
            self._listen()

    def _listen(self) -> None:
        self._server = _Server((LOOPBACK, self.port), _handler(self))
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=[0.02]).start()

    def _close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Say nothing: clients that run out of patience are part of the tests."""


def _handler(proxy: RecordingProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            reply = proxy.meet(self.path, self.rfile.read(int(self.headers["Content-Length"])))
            if reply is None:
                return
            self.send_response(reply.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler


def _symbol_in(request: bytes) -> str:
    """Return the symbol that a prompt asks to propose for."""
    content: str = json.loads(request)["messages"][-1]["content"]
    return content.rpartition("Propose for ")[2].rstrip(".")


@contextlib.contextmanager
def bundled_model() -> Iterator[str]:
    """Run the stack's own model server for the block; give its address. It may still be loading."""
    port = Ports().any_free()
    command = [sys.executable, "-m", "deploy.native.llm_server", "--port", str(port)]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
        preexec_fn=tie_to(os.getpid()),  # noqa: PLW1509  # the proxy's thread is not there yet
    ) as server:
        try:
            yield f"http://{LOOPBACK}:{port}"
        finally:
            server.terminate()


def await_model(upstream: str) -> None:
    """Return once a model server has loaded its weights."""

    def look() -> bool | None:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{upstream}/health").is_success or None
        return None

    until(look, f"the model at {upstream}", 120)
