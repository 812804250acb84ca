"""Everything that can go wrong here, in two kinds.

``StartError``: the simulator cannot start; the text is for the person who started it.
``Refusal``: an HTTP answer other than 200; the status and body are the broker's.
"""

from typing import Any


class StartError(Exception):
    """The simulator was started with something that it cannot use."""


class Refusal(Exception):  # noqa: N818  # the broker refuses; it is an answer, not our error
    """An answer of the broker that ends the request early."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


def bad_request(text: str, status: int = 400) -> Refusal:
    """Return the usual refusal, ``{"error": "Bad Request: ...", "statusCode": 400}``.

    The body says 400 even where the status does not: that is how it was seen on the wire.
    """
    return Refusal(status, {"error": f"Bad Request: {text}", "statusCode": 400})
