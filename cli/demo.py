"""``demo``: the main job on the demo market, from a message on Kafka to decided symbols."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from cli import target
from cli.client import Api
from cli.demo_market import bring_to_the_bell, origin_of_data
from cli.demo_run import DemoRun
from cli.demo_text import closing_lines, decided_lines, model_lines, order_words
from cli.errors import CommandError, Exit
from cli.progress import Progress
from cli.stack import this_stack
from cli.terminal import make_console, print_lines
from deploy.native.stack import Stack
from deploy.native.state import StackState
from deploy.native.wiring import BROKER_SETTING, Wiring

app = typer.Typer()

SYMBOLS = ("TSLA", "NVDA")
_LLM, _RULES = 1, 2
_WAIT_S = 120.0


@app.command()
def demo(
    *,
    timeout: Annotated[
        float, typer.Option(min=1, metavar="S", help="Longest wait for each run, in seconds.")
    ] = _WAIT_S,
) -> None:
    """Run TSLA and NVDA, dry run, on the demo market; starts the stack where none runs."""
    stack, console = this_stack(), make_console()
    state = stack.state()
    refuse_other_markets(os.environ.get(BROKER_SETTING), state.wiring if state else None)
    with _ended_on_interrupt(stack):
        wiring = _started(stack, console).wiring
        refuse_other_markets(None, wiring)
        _introduce(console, wiring, timeout)
        runs = [_play(console, wiring, strategy_id, timeout) for strategy_id in (_LLM, _RULES)]
    console.print(order_words(runs[-1].story))
    console.print()
    print_lines(console, closing_lines([run.story for run in runs], wiring))
    if any(run.failed for run in runs):
        raise typer.Exit(Exit.FAILED)


def refuse_other_markets(broker: str | None, wiring: Wiring | None) -> None:
    """Let only the demo market through: the demo moves its time. Raises CommandError (refused)."""
    if broker:
        found = f"{BROKER_SETTING}={broker}; unset it, or ask for a run: ./openbell trigger"
    elif wiring is not None and not wiring.simulated:
        found = f"a stack with the broker at {wiring.broker_url}; set OPENBELL_HOME to another one"
    else:
        return
    msg = f"demo: expected the demo market, found {found}"
    raise CommandError(msg, Exit.REFUSED)


@contextmanager
def _ended_on_interrupt(stack: Stack) -> Iterator[None]:
    """Stop on Ctrl-C what was started here; a stack that ran before goes on."""
    ran_before = stack.is_running
    try:
        yield
    except KeyboardInterrupt:
        if not ran_before:
            stack.down()
        raise


def _started(stack: Stack, console: Console) -> StackState:
    if (state := stack.state()) and state.phase == "ready":
        console.print("the stack is up already")
        return state
    with Progress(console) as progress:
        state = stack.up(watch=progress.show, say=progress.say)
    console.print(f"the stack is ready in {state.took_s or 0:.1f} s")
    return state


def _introduce(console: Console, wiring: Wiring, timeout_s: float) -> None:
    """Say what is real and what is not, and bring the market to its bell."""
    console.print(f"market data is {origin_of_data(Api(wiring.url('simulator'), token=None))}")
    print_lines(console, model_lines(wiring))
    bring_to_the_bell(
        target.api_at(wiring.url("api")),
        wiring.files.market_time,
        timeout_s=timeout_s,
        say=console.print,
    )


def _play(console: Console, wiring: Wiring, strategy_id: int, timeout_s: float) -> DemoRun:
    run = DemoRun(wiring, strategy_id, SYMBOLS)
    console.print()
    console.print(Text(f"strategy {strategy_id}: {', '.join(SYMBOLS)}, dry run", "bold"))
    place = run.publish()
    where = f"run.requested (partition {place.partition}, offset {place.offset})"
    console.print(f"onto Kafka, {where}: {run.request}")
    run.watch(console, timeout_s=timeout_s)
    print_lines(console, decided_lines(run.story))
    return run
