"""A model's endpoint over real HTTP on loopback that answers what it was told to."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Reply:
    """One reply. ``hang``: it never comes. ``drop``: the connection closes instead."""

    body: str
    status: int = 200
    hang: bool = False
    drop: bool = False


Answer = Reply | Callable[[bytes], Reply]


@dataclass
class Endpoint:
    """The last of the replies is repeated; a function makes one from the request's body."""

    replies: list[Answer]
    received: list[bytes] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)
    host: str = ""
    url: str = ""


def completion(answer: str | None, *, finish_reason: str = "stop", **message: Any) -> Reply:
    """A chat completion that says ``answer``."""
    body = {
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": answer, **message},
                "finish_reason": finish_reason,
            }
        ],
        "usage": {"prompt_tokens": 470, "completion_tokens": 75, "total_tokens": 545},
    }
    return Reply(json.dumps(body))


def error(status: int, message: str = "no") -> Reply:
    """An error as OpenAI words it."""
    return Reply(json.dumps({"error": {"message": message}}), status)


@contextlib.contextmanager
def serving(*replies: Answer, address: str = "127.0.0.1") -> Iterator[Endpoint]:
    """Serve on a free port of this machine until the end of the block."""
    endpoint = Endpoint(list(replies))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            endpoint.headers.append({k.lower(): v for k, v in self.headers.items()})
            body = self.rfile.read(int(self.headers["Content-Length"]))
            endpoint.received.append(body)
            answer = endpoint.replies[min(len(endpoint.received), len(endpoint.replies)) - 1]
            self.reply(answer if isinstance(answer, Reply) else answer(body))

        def reply(self, reply: Reply) -> None:
            if reply.hang:
                endpoint.closing.wait()
            if reply.hang or reply.drop:
                return
            body = reply.body.encode()
            self.send_response(reply.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in address else socket.AF_INET

    with Server((address, 0), Handler) as server:
        endpoint.host = f"[{address}]" if ":" in address else address
        endpoint.url = f"http://{endpoint.host}:{server.server_port}/v1"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield endpoint
        finally:
            endpoint.closing.set()
            server.shutdown()
            thread.join()
