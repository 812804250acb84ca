"""When the login is kept alive and when a new brokerage session is asked for. Pure."""

_TICKLE_EVERY_S = 55.0
_FIRST_WAIT_S, _LONGEST_WAIT_S = 5.0, 60.0


class Rhythm:
    """All instants are monotonic seconds."""

    def __init__(self) -> None:
        self._tickled: float | None = None
        self._next_opening: float | None = None
        self._wait_s = _FIRST_WAIT_S
        self._competed = False

    def tickle_is_due(self, now: float) -> bool:
        """Say whether to tickle now; saying yes starts the next wait."""
        if self._tickled is not None and now < self._tickled + _TICKLE_EVERY_S:
            return False
        self._tickled = now
        return True

    def opening_is_due(self, now: float) -> bool:
        """Say whether a session may be asked for again."""
        return self._next_opening is None or now >= self._next_opening

    def opened(self, now: float) -> bool:
        """Take note of an opening; return whether it may take the session from another program.

        Only the first of this process may: two programs that both insist throw each other out for
        ever.
        """
        compete, self._competed = not self._competed, True
        self._next_opening = now + self._wait_s
        self._wait_s = min(2 * self._wait_s, _LONGEST_WAIT_S)
        return compete

    def ready(self) -> None:
        """Take note of a session that works: the next opening need not wait."""
        self._next_opening, self._wait_s = None, _FIRST_WAIT_S
