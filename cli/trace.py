"""``trace``: a run retold from the ledger, from the request to the last outcome."""

from typing import Annotated

import typer

from cli import target
from cli.runs import RunIdArgument
from cli.story import tell
from cli.terminal import AsJson, make_console, print_json, print_lines
from cli.trace_text import trace_lines

app = typer.Typer()


@app.command()
def trace(
    run_id: RunIdArgument,
    *,
    full: Annotated[bool, typer.Option("--full", help="Cut nothing short.")] = False,
    as_json: AsJson = False,
) -> None:
    """Retell a run: every event with its times and source, then each symbol, prompt to outcome."""
    api = target.api()
    if as_json:
        print_json(api.event_rows(run_id))
        return
    print_lines(make_console(), trace_lines(tell(api.events(run_id)), full=full))
