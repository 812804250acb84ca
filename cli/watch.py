"""Watching a run: live on a terminal, else one line as each step ends."""

import time
from collections.abc import Callable
from typing import Self

from rich.console import Console, Group
from rich.live import Live

from cli.client import Api
from cli.errors import CommandError, Exit
from cli.ledger import LedgerEntry
from cli.step_text import step_line, step_lines
from cli.steps import steps_of
from cli.story import Story, tell
from cli.terminal import one_line
from shared.market_time import MarketClock, wall_now

_PER_SECOND = 8


class RunWatch:
    """Shows a run as its events come; a context manager round the waiting."""

    def __init__(self, console: Console, clock: MarketClock) -> None:
        self._console = console
        self._clock = clock
        self._entries: list[LedgerEntry] = []
        self._told: set[str] = set()
        self._live = Live(
            console=console, get_renderable=self._render, refresh_per_second=_PER_SECOND
        )

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._console.is_terminal:
            self._live.stop()

    @property
    def story(self) -> Story:
        """Return the run as far as it was seen."""
        return tell(self._entries)

    def add(self, entry: LedgerEntry) -> None:
        """Take in the next event."""
        self._entries.append(entry)
        if not self._console.is_terminal:
            self._tell_news()

    def _tell_news(self) -> None:
        story = self.story
        for step in steps_of(story):
            told = step.condition in {"done", "failed", "waiting"}
            if told and f"{step.name} {step.condition}" not in self._told:
                self._told.add(f"{step.name} {step.condition}")
                self._console.print(step_line(step, story, wall_now(), self._clock.now()))

    def _render(self) -> Group:
        return Group(*step_lines(self.story, now=wall_now(), market_now=self._clock.now()))


def follow_to_the_end(
    api: Api,
    run_id: str,
    *,
    timeout_s: float,
    seen: Callable[[LedgerEntry], None] = lambda _: None,
) -> Story:
    """Return the story of a run once it has finished; ``seen`` is called with each event.

    Raises CommandError with exit code 4 where it takes longer; the run goes on.
    """
    entries: list[LedgerEntry] = []
    try:
        for entry in api.follow(run_id, time.monotonic() + timeout_s):
            entries.append(entry)
            seen(entry)
    except TimeoutError as e:
        raise CommandError(_too_long(run_id, timeout_s, tell(entries)), Exit.TIMED_OUT) from e
    return tell(entries)


def _too_long(run_id: str, timeout_s: float, story: Story) -> str:
    at = next((s for s in steps_of(story) if s.condition in {"active", "waiting"}), None)
    where = f"at step {at.name}" if at else "without an event"
    why = one_line(story.waiting.reason, 160) if story.waiting else (at.note if at else "")
    found = f"{where} ({why})" if why else where
    return (
        f"expected run {run_id} to finish within {timeout_s:g} s, found it {found}; "
        f"it goes on: ./openbell show {run_id} --watch"
    )
