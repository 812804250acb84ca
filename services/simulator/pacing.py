"""How many requests the broker takes from one username, and what it says beyond that."""

import re
from collections import Counter, deque
from dataclasses import dataclass, field

_WINDOW_S = 1.0
# Path under the base -> seconds between two calls, as documented.
PATH_LIMITS = {
    "iserver/account/orders": 5.0,
    "iserver/account/trades": 5.0,
    "iserver/account/pnl/partitioned": 5.0,
    "portfolio/accounts": 5.0,
    "portfolio/subaccounts": 5.0,
    "sso/validate": 60.0,
    "tickle": 1.0,
}
CHARTS_AT_ONCE = 5

_NUMBERS = re.compile(r"(?<=/)-?\d+(?=/|$)")
_REPLY = re.compile(r"(?<=iserver/reply/)[^/]+")


@dataclass
class Pacing:
    """Counts requests. Times are seconds of a clock that never goes back."""

    requests_per_s: int
    path_limits: bool
    penalty_s: float
    requests: int = 0
    limited: int = 0
    per_path: Counter[str] = field(default_factory=Counter)
    _recent: deque[float] = field(default_factory=deque)
    _last: dict[str, float] = field(default_factory=dict)
    _locked_until: float = 0.0

    def admit(self, path: str, now: float) -> bool:
        """Count a request to a path under the base; False: it is one too many."""
        self.requests += 1
        self.per_path[template(path)] += 1
        if now >= self._locked_until and self._within_rate(now) and self._within_path(path, now):
            return True
        self.limited += 1
        if now >= self._locked_until:
            self._locked_until = now + self.penalty_s
        return False

    def _within_rate(self, now: float) -> bool:
        while self._recent and self._recent[0] <= now - _WINDOW_S:
            self._recent.popleft()
        if self.requests_per_s and len(self._recent) >= self.requests_per_s:
            return False
        self._recent.append(now)
        return True

    def _within_path(self, path: str, now: float) -> bool:
        limit = PATH_LIMITS.get(path) if self.path_limits else None
        if limit is None:
            return True
        if now - self._last.get(path, -limit) < limit:
            return False
        self._last[path] = now
        return True


def template(path: str) -> str:
    """Return a path with its numbers and reply ids replaced, so that counts stay few."""
    return _REPLY.sub("{id}", _NUMBERS.sub("{id}", path))
