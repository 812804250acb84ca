"""Ports on the loopback interface."""

import random
import socket

LOOPBACK = "127.0.0.1"

# Below the ranges from which Linux and macOS take ports of outgoing connections, so that a part
# that restarts finds its port free.
_OURS = range(20_000, 32_000)
_TRIES = 200


class Ports:
    """Hands out each port at most once."""

    def __init__(self) -> None:
        self._given: set[int] = set()

    def next_free(self, wanted: int) -> int:
        """Return ``wanted`` or the next port above that nobody listens on; 0 asks for any."""
        if wanted == 0:
            return self.any_free()
        return self._first(range(wanted, wanted + _TRIES))

    def any_free(self) -> int:
        """Return a free port that no service is known by."""
        # Where to begin is random, so that stacks that start at the same time do not meet.
        begin = random.choice(_OURS[:-_TRIES])  # noqa: S311  # nothing secret about a port
        return self._first(range(begin, begin + _TRIES))

    def _first(self, candidates: range) -> int:
        for port in candidates:
            if port not in self._given and is_free(port):
                self._given.add(port)
                return port
        msg = f"expected a free port from {candidates[0]} to {candidates[-1]}, found none"
        raise OSError(msg)


def is_free(port: int) -> bool:
    """Whether nobody listens on ``port`` of the loopback interface."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: a port whose last connections are still in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True
