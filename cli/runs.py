"""``trigger``, ``runs``, ``show``: ask for runs and look at them, through the api."""

import uuid
from typing import Annotated

import typer
from rich.text import Text

from cli import target
from cli.client import Api, UnansweredError
from cli.errors import Exit
from cli.run_text import outcome_lines, run_lines, runs_table
from cli.step_text import step_lines
from cli.story import Story, tell
from cli.terminal import AsJson, make_console, print_json, print_lines
from cli.watch import RunWatch, follow_to_the_end
from shared.market_time import wall_now

app = typer.Typer()
RunIdArgument = Annotated[str, typer.Argument(metavar="RUN", help="The run's id.")]
TimeoutOption = Annotated[
    float, typer.Option("--timeout", min=0.1, metavar="S", help="How long to wait, in seconds.")
]
_WAIT_S = 600.0


@app.command()
def trigger(
    symbols: Annotated[list[str], typer.Argument(metavar="SYMBOL...", help="Such as TSLA NVDA.")],
    *,
    strategy: Annotated[str, typer.Option(help="Number or name of the strategy.")] = "1",
    mode: Annotated[str, typer.Option(help="dry_run, paper or live.")] = "dry_run",
    run_id: Annotated[str | None, typer.Option(help="One id is one run, however often.")] = None,
    note: Annotated[str | None, typer.Option(help="Kept with the run.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Follow it to its end.")] = False,
    timeout: TimeoutOption = _WAIT_S,
    as_json: AsJson = False,
) -> None:
    """Ask for a run of a strategy. With --wait: exit code 0 where no symbol failed."""
    api = target.api()
    asked = {
        "strategy_id": int(strategy) if strategy.isdecimal() else strategy,
        "symbols": symbols,
        "mode": mode,
        # Ours, so that a request without an answer can be repeated without running twice.
        "run_id": run_id or str(uuid.uuid4()),
        "note": note,
    }
    try:
        answer = api.post("/runs", {n: value for n, value in asked.items() if value is not None})
    except UnansweredError as e:
        msg = f"{e}; then ask again with --run-id {asked['run_id']}: one id is one run"
        raise UnansweredError(msg) from e
    if wait:
        _watch(api, answer["run_id"], timeout, as_json=as_json)
        return
    if as_json:
        print_json(answer)
        return
    known = "" if answer["new"] else " (it exists already)"
    typer.echo(f"run {answer['run_id']}{known}")
    typer.echo(f"follow it: ./openbell show {answer['run_id']} --watch")


@app.command()
def runs(
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many at most.")] = 20,
    *,
    as_json: AsJson = False,
) -> None:
    """List the newest runs, newest first."""
    found = target.api().get("/runs", limit=limit)
    if as_json:
        print_json(found)
    elif found:
        make_console().print(runs_table(found))
    else:
        typer.echo("no runs yet; ask for one: ./openbell trigger TSLA NVDA")


@app.command()
def show(
    run_id: RunIdArgument,
    *,
    watch: Annotated[bool, typer.Option("--watch", help="Follow it to its end.")] = False,
    timeout: TimeoutOption = _WAIT_S,
    as_json: AsJson = False,
) -> None:
    """Show a run: how far it is, what it waits for, what became of its symbols."""
    api = target.api()
    if watch:
        _watch(api, run_id, timeout, as_json=as_json)
        return
    run = api.run(run_id)
    if as_json:
        print_json(run)
        return
    console, story = make_console(), tell(api.events(run_id))
    print_lines(console, [*run_lines(run), *_steps(story), *outcome_lines(run)])


def _watch(api: Api, run_id: str, timeout: float, *, as_json: bool) -> None:
    """Follow a run to its end and tell it. Exit code 1 where a symbol failed."""
    if as_json:
        follow_to_the_end(api, run_id, timeout_s=timeout)
        run = api.run(run_id)
        print_json(run)
    else:
        console = make_console()
        print_lines(console, run_lines(api.run(run_id)))
        with RunWatch(console, target.market_clock()) as watching:
            follow_to_the_end(api, run_id, timeout_s=timeout, seen=watching.add)
        run = api.run(run_id)
        print_lines(console, outcome_lines(run))
    if any(symbol["outcome"] == "failed" for symbol in run["symbols"]):
        raise typer.Exit(Exit.FAILED)


def _steps(story: Story) -> list[Text]:
    return step_lines(story, now=wall_now(), market_now=target.market_clock().now())
