"""``strategy list`` and ``strategy show``."""

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import quote

import typer
from rich.table import Table
from rich.text import Text

from cli import target
from cli.terminal import AsJson, make_console, print_json, print_lines, safe

app = typer.Typer()
strategy = typer.Typer(help="List or show strategies.", no_args_is_help=True)
app.add_typer(strategy, name="strategy")


@strategy.command("list")
def list_all(*, as_json: AsJson = False) -> None:
    """List all strategies."""
    found = target.api().get("/strategies")
    if as_json:
        print_json(found)
    else:
        make_console().print(strategies_table(found))


@strategy.command()
def show(
    name: Annotated[str, typer.Argument(metavar="STRATEGY", help="Its number or its name.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Show one strategy."""
    found = target.api().get(f"/strategies/{quote(name, safe='')}")
    if as_json:
        print_json(found)
    else:
        print_lines(make_console(), strategy_lines(found))


def strategies_table(strategies: Sequence[dict[str, Any]]) -> Table:
    """Return ``GET /strategies`` as rows."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("id", "name", "kind", "modes", "symbols", "description"):
        table.add_column(name, justify="right" if name == "id" else "left")
    for found in strategies:
        table.add_row(
            str(found["id"]),
            found["name"],
            found["kind"],
            ", ".join(found["modes"]),
            ", ".join(found["symbols"]),
            safe(found["description"]),
        )
    return table


def strategy_lines(found: dict[str, Any]) -> list[Text]:
    """Return ``GET /strategies/{id}``, one field per line; what is not set is left out."""
    lines = []
    for name, value in found.items():
        if value not in (None, ""):
            words = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
            lines.append(Text.assemble((f"{name:<15}", "dim"), safe(words)))
    return lines
