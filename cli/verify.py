"""``verify``: compute a run again from the log, and name the first field that differs."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import TypeAdapter, ValidationError

from cli import target
from cli.chain import broken_link
from cli.differences import Difference
from cli.errors import CommandError, Exit
from cli.missing import gap, missing
from cli.others import without_others
from cli.retell import retell
from cli.retold.log import Log
from cli.rows import Row, edited, underived
from cli.runs import RunIdArgument
from cli.terminal import AsJson, make_console, one_line, print_json
from shared.envelope import first_problem
from shared.events.run import RunFinished

app = typer.Typer()

_LOOKS, _LOOK_EVERY_S = 20, 0.2
_ROWS = TypeAdapter(list[Row])


@dataclass(frozen=True)
class Verdict:
    """What is found of a run: its events, the records of others among them, what differs first."""

    events: int
    left_out: int
    difference: Difference | None

    def __str__(self) -> str:
        told = f"identical: {self.events} events" if self.difference is None else self.difference
        records = "record" if self.left_out == 1 else "records"
        note = f"\n{self.left_out} {records} of others left out" if self.left_out else ""
        return f"{told}{note}"

    @property
    def document(self) -> dict[str, Any]:
        """Return it for programs."""
        differs = {} if self.difference is None else {"difference": self.difference.shown}
        counts = {"events": self.events, "left_out": self.left_out}
        return counts | {"identical": self.difference is None} | differs


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
    """Recompute a finished run: request, indicators, prompt, parsing, checks, risk, fill, hashes.

    Prints *identical*, or exactly the first field that differs or what is missing, and then exits
    with 1.
    """
    verdict = compare(_complete(run_id) if source is None else _read(source))
    if as_json:
        print_json({"run_id": run_id} | verdict.document)
    else:
        make_console().print(str(verdict), markup=False, highlight=False, soft_wrap=True)
    if verdict.difference is not None:
        raise typer.Exit(Exit.FAILED)


def compare(rows: Sequence[Row]) -> Verdict:
    """Return what is found of a run's rows.

    A row holds its event twice: ``raw``, which the chain covers, and ``body``, which people read.
    What is missing comes last: that a field was changed says more.
    """
    ours = without_others(rows)
    difference = (
        retell(ours)
        or retell([row.as_shown() for row in ours])
        or edited(rows)
        or broken_link(rows)
        or underived(rows)
        or gap(ours)
    )
    return Verdict(len(ours), len(rows) - len(ours), difference)


def _complete(run_id: str) -> list[Row]:
    """Return the ledger of a run; it may be a moment behind the end that it already tells of."""
    api = target.api()
    rows = _rows(api.event_rows(run_id), "the api")
    for _ in range(_LOOKS):
        log = Log.of(without_others(rows))
        if log.first(RunFinished) is None or not missing(log):
            break
        time.sleep(_LOOK_EVERY_S)
        rows = _rows(api.event_rows(run_id), "the api")
    return rows


def _read(path: Path) -> list[Row]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as e:
        msg = f"expected the output of 'trace --json' in {path}, found: {e}"
        raise CommandError(msg, Exit.REFUSED) from e
    return _rows(found, str(path))


def _rows(found: Any, source: str) -> list[Row]:
    try:
        return _ROWS.validate_python(found)
    except ValidationError as e:
        msg = f"expected events as 'trace --json' prints them from {source}; {first_problem(e)}"
        raise CommandError(one_line(msg, 300), Exit.REFUSED) from e
