"""``verify``: compute a run again from the log, and name the first field that differs."""

import json
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import target
from cli.chain import broken_link
from cli.errors import CommandError, Exit
from cli.retell import Difference, first_difference, retell
from cli.runs import RunIdArgument
from cli.terminal import AsJson, make_console, print_json

app = typer.Typer()

_LOOKS, _LOOK_EVERY_S = 20, 0.2


@app.command()
def verify(
    run_id: RunIdArgument,
    *,
    source: Annotated[
        Path | None,
        typer.Option("--from", help="Events as `trace --json` prints them, not the api's."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Recompute indicators, prompt, parsing, checks, risk, fill and hashes of a run.

    Prints *identical*, or exactly the first field that differs, and then exits with 1.
    """
    rows = _complete(run_id) if source is None else _read(source)
    difference = compare(rows)
    if as_json:
        print_json({"run_id": run_id, "events": len(rows)} | _plain(difference))
    else:
        told = f"identical: {len(rows)} events" if difference is None else str(difference)
        make_console().print(told, markup=False, highlight=False, soft_wrap=True)
    if difference is not None:
        raise typer.Exit(Exit.FAILED)


def compare(rows: list[dict[str, Any]]) -> Difference | None:
    """Return the first difference in a run's rows, as REST shows them; None where all is identical.

    A row holds its event twice: ``raw``, which the chain covers, and ``body``, which people read.
    """
    covered = retell([(row["type"], row["raw"]) for row in rows])
    shown = [(row["type"], json.dumps(row["body"])) for row in rows]
    return covered or retell(shown) or _edited(rows) or broken_link(rows)


def _edited(rows: list[dict[str, Any]]) -> Difference | None:
    for row in rows:
        found = first_difference(row["body"], _parsed(row["raw"]), "body")
        if found is not None:
            return Difference(row["type"], *found)
    return None


def _parsed(raw: str) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw


def _complete(run_id: str) -> list[dict[str, Any]]:
    """Return the ledger of a run; it may be a moment behind the end that it already tells of."""
    api = target.api()
    rows = api.event_rows(run_id)
    for _ in range(_LOOKS):
        ends = [row["body"] for row in rows if row["type"] == "run.finished"]
        told = sum(row["type"] in {"order.changed", "step.failed"} for row in rows)
        if not ends or told >= len(ends[0]["symbols"]):
            break
        time.sleep(_LOOK_EVERY_S)
        rows = api.event_rows(run_id)
    return rows


def _plain(difference: Difference | None) -> dict[str, Any]:
    if difference is None:
        return {"identical": True}
    return {"identical": False, "difference": vars(difference)}


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as e:
        msg = f"expected the output of 'trace --json' in {path}, found: {e}"
        raise CommandError(msg, Exit.REFUSED) from e
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        msg = f"expected a list of events in {path}; 'openbell trace RUN --json' prints one"
        raise CommandError(msg, Exit.REFUSED)
    return rows
