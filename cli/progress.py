"""One line per part while a stack starts, live on a terminal, plain otherwise."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.table import Table

from deploy.native.state import PartState, StackState

_MARKS = {
    "waiting": "[dim]·[/]",
    "starting": "[yellow]…[/]",
    "restarting": "[yellow]↻[/]",
    "ready": "[green]✓[/]",
    "done": "[green]✓[/]",
    "failed": "[red]✗[/]",
}


class Progress:
    """Shows what ``Stack.up`` reports; use it as a context manager round the call."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._told: set[str] = set()
        self._parts: list[PartState] = []
        self._live = Live(
            console=console, get_renderable=self._render, refresh_per_second=8, transient=False
        )

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def say(self, line: str) -> None:
        """Print a line above the parts."""
        self._console.print(line)

    def show(self, state: StackState) -> None:
        """Take over the newest state."""
        self._parts = state.parts
        if self._console.is_terminal:
            return
        for part in state.parts:
            if part.state in ("ready", "done", "failed") and part.label not in self._told:
                self._told.add(part.label)
                self._console.print(f"{part.label:<12} {part.state:<7} {_detail(part)}")

    def _render(self) -> Table:
        table = Table.grid(padding=(0, 2))
        for part in self._parts:
            table.add_row(_MARKS[part.state], part.label, part.state, _detail(part))
        return table


def _detail(part: PartState) -> str:
    if part.state in ("ready", "done"):
        where = f", port {part.port}" if part.port else ""
        return f"{part.took_s or 0:.1f} s{where}"
    if part.state == "starting":
        return f"{max(0.0, time.time() - part.since):.1f} s"
    return part.why
