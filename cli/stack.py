"""``up``, ``down``, ``status``, ``logs``: the native stack from the command line."""

import json
import os
import sys
import time
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.progress import Progress
from deploy.native.errors import StackError
from deploy.native.home import CHECKOUT, Home
from deploy.native.log_view import follow, last_lines
from deploy.native.processes import memory_mb
from deploy.native.stack import Stack
from deploy.native.state import PartState, StackState

app = typer.Typer()


def this_stack() -> Stack:
    """Return the stack of the home in force."""
    return Stack(Home.of(os.environ).root)


@app.command()
def up(
    scale: Annotated[
        list[str] | None, typer.Option(help="Replicas of a service, as in signals=3.")
    ] = None,
) -> None:
    """Start the stack and return when all is ready; it goes on in the background."""
    stack, console, counts = this_stack(), Console(highlight=False), _counts(scale or [])
    if (running := stack.state()) and running.phase == "ready":
        kept = "; its scale is kept: openbell down first" if counts else ""
        console.print(f"already running ({len(running.parts)} parts){kept}")
        return
    with Progress(console) as progress:
        state = stack.up(scale=counts, watch=progress.show, say=progress.say)
    console.print(f"ready in {state.took_s or 0:.1f} s; openbell status, logs, down")


@app.command()
def down() -> None:
    """Stop the stack, services first, PostgreSQL last. Data stays."""
    began = time.monotonic()
    stopped = this_stack().down()
    took = time.monotonic() - began
    typer.echo(f"stopped in {took:.1f} s; data is kept" if stopped else "nothing was running")


@app.command()
def status(
    *, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False
) -> None:
    """Tell what runs: process, state, restarts, memory. Exit code 1 where nothing runs."""
    state = this_stack().state()
    if as_json:
        parts = state.parts if state else []
        typer.echo(json.dumps({"processes": [_row(p) for p in parts if not p.task]}, indent=1))
    elif state:
        Console(highlight=False).print(_table(state))
    else:
        typer.echo("nothing is running; start it: openbell up")
    if state is None:
        raise typer.Exit(1)


@app.command()
def logs(
    part: Annotated[str | None, typer.Argument(help="For example kafka or signals-1.")] = None,
    *,
    lines: Annotated[int, typer.Option("-n", min=0, help="How many lines of each.")] = 20,
    keep_on: Annotated[bool, typer.Option("-f", help="Go on as they grow.")] = False,
) -> None:
    """Show the logs of all parts or of one."""
    folder = this_stack().home.logs
    paths = sorted(folder.glob(f"{part or '*'}.log"))
    if not paths:
        known = ", ".join(sorted(path.stem for path in folder.glob("*.log"))) or "none"
        msg = f"expected a log of {part or 'any part'} in {folder}, found {known}"
        raise StackError(msg)
    for line in last_lines(paths, lines):
        typer.echo(line)
    if keep_on:
        for line in follow(paths):
            typer.echo(line)


@app.command(
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    add_help_option=False,
)
def simulator(context: typer.Context) -> None:
    """Run the broker simulator alone; its own options follow."""
    os.chdir(CHECKOUT)
    line = [sys.executable, "-m", "services.simulator", *context.args]
    os.execv(line[0], line)  # noqa: S606  # our own module, no shell wanted


def _counts(texts: list[str]) -> dict[str, int]:
    counts = {}
    for text in texts:
        name, _, number = text.partition("=")
        if not number.isdigit():
            msg = f"expected PART=NUMBER, for example signals=3, found {text!r}"
            raise typer.BadParameter(msg)
        counts[name] = int(number)
    return counts


def _row(part: PartState) -> dict[str, object]:
    return {
        "name": part.name,
        "replica": part.replica,
        "pid": part.pid,
        "state": "starting" if part.state == "waiting" else part.state,
        "restarts": part.restarts,
        "pss_mb": memory_mb(part.pid) if part.pid else 0.0,
    }


def _table(state: StackState) -> Table:
    table = Table(title=f"openbell: {state.phase}", title_justify="left", box=None)
    for name in ("part", "state", "pid", "port", "restarts", "memory MB", "for"):
        table.add_column(name, justify="left" if name in ("part", "state") else "right")
    for part in state.parts:
        if not part.task:
            row = _row(part)
            cells = (part.label, row["state"], part.pid or "", part.port or "", part.restarts)
            table.add_row(*map(str, (*cells, row["pss_mb"], _ago(part.since))))
    return table


def _ago(since: float) -> str:
    minutes, seconds = divmod(max(0, int(time.time() - since)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}m" if hours else f"{minutes}m{seconds:02}s"
