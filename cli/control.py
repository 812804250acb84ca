"""``halt`` and ``resume``: the switch that blocks new orders."""

import sys
from typing import Annotated, Any

import typer

from cli import target
from cli.errors import CommandError, Exit
from cli.terminal import AsJson, print_json

app = typer.Typer()
ScopeOption = Annotated[
    str, typer.Option(help="deployment, account:ID or strategy:NUMBER.", metavar="SCOPE")
]
WhyOption = Annotated[str, typer.Option(help="Kept with the switch.")]


@app.command()
def halt(
    *, scope: ScopeOption = "deployment", why: WhyOption = "by hand", as_json: AsJson = False
) -> None:
    """Block new orders of a scope, at once and until resumed."""
    _switch("halt", scope, why, as_json=as_json)


@app.command()
def resume(
    *,
    scope: ScopeOption = "deployment",
    why: WhyOption = "by hand",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Allow new orders of a scope again; asks first."""
    if not yes:
        _ask(f"allow new orders of {scope} again?")
    _switch("resume", scope, why, as_json=as_json)


def _switch(verb: str, scope: str, why: str, *, as_json: bool) -> None:
    switch: dict[str, Any] = target.api().post(f"/control/{verb}", {"scope": scope, "why": why})
    if as_json:
        print_json(switch)
    else:
        typer.echo(f"{switch['scope']} is {switch['state']} ({switch['why']})")


def _ask(question: str) -> None:
    if not sys.stdin.isatty():
        msg = "expected --yes where nobody can be asked, found no terminal; nothing was changed"
        raise CommandError(msg, Exit.REFUSED)
    if not typer.confirm(question, err=True):
        raise CommandError("expected yes, found no; nothing was changed", Exit.REFUSED)
