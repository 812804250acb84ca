"""``config show``: the settings in force, without secrets."""

import json
from typing import Annotated, Any

import typer

from cli.stack import this_stack

app = typer.Typer()
config = typer.Typer(help="Show the settings in force.", no_args_is_help=True)
app.add_typer(config, name="config")


@config.callback()
def _group() -> None:
    """Show the settings in force."""


@config.command()
def show(*, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Print what the running stack goes by. Exit code 1 where none runs."""
    found = this_stack().config()
    if as_json:
        typer.echo(json.dumps(found, indent=1))
        return
    for name, value in _flat(found):
        typer.echo(f"{name} = {value if value is not None else '-'}")


def _flat(values: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for name, value in values.items():
        path = f"{prefix}{name}"
        rows += _flat(value, f"{path}.") if isinstance(value, dict) else [(path, value)]
    return rows
