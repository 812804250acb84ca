"""When the next request may go: sliding windows, not buckets, so that no second ever has too many.

Pure: times are seconds of one monotonic clock, given by the caller.
"""

import math
from collections import defaultdict, deque

from services.gateway.limits import ALL, Limit, limit_of

PENALTY_S = 900.0


class Schedule:
    """The requests begun and under way, and what the broker holds against us."""

    def __init__(self) -> None:
        self._begun: dict[str, deque[float]] = defaultdict(deque)
        self._under_way: dict[str, int] = defaultdict(int)
        self._held: dict[str, float] = {}
        self._refused_at = -math.inf

    def earliest(self, path: str, now: float) -> float:
        """Return the instant from which a path may go; infinite until another is done."""
        limit = limit_of(path)
        if limit.at_once is not None and self._under_way[limit.prefix] >= limit.at_once:
            return math.inf
        return max(now, self.held_until(path), self._free(ALL), self._free(limit))

    def held_until(self, path: str) -> float:
        """Return the end of the penalty that is on a path, or on all."""
        prefixes = (ALL.prefix, limit_of(path).prefix)
        return max(self._held.get(prefix, -math.inf) for prefix in prefixes)

    def begin(self, path: str, now: float) -> None:
        """Count a request as begun."""
        limit = limit_of(path)
        for each in {ALL, limit}:
            begun = self._begun[each.prefix]
            begun.append(now)
            while len(begun) > each.count:
                begun.popleft()
        self._under_way[limit.prefix] += 1

    def done(self, path: str) -> None:
        """Count a request that was begun as over."""
        self._under_way[limit_of(path).prefix] -= 1

    def refused(self, path: str, begun: float, now: float, retry_after_s: float | None) -> None:
        """Take a 429 of a request that began at ``begun``, and hold its path.

        A second one within the penalty time holds everything; requests that were under way when
        the first came are the same offence.
        """
        limit = limit_of(path)
        if self._refused_at <= begun < self._refused_at + PENALTY_S:
            self._held[ALL.prefix] = now + PENALTY_S
        wait = limit.window_s if retry_after_s is None else max(retry_after_s, limit.window_s)
        self._held[limit.prefix] = max(self.held_until(path), now + wait)
        self._refused_at = now

    def _free(self, limit: Limit) -> float:
        """Return when the oldest request that counts leaves the window."""
        begun = self._begun[limit.prefix]
        return begun[0] + limit.window_s if len(begun) == limit.count else -math.inf
