"""The command ``verify`` on a trace in a file, and the recorded run that it is given."""

import functools
import json
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from cli import verify
from cli.errors import Exit
from cli.rows import Row
from tests.unit.cli.recorded_run import RUN, Rows, a_run

recorded = functools.cache(a_run)


def copied() -> Rows:
    rows: Rows = json.loads(json.dumps(recorded()))
    return rows


def verified(tmp_path: Path, rows: object, *words: str) -> tuple[int, str]:
    """Verify a trace in a file; what ends the command with a line for the user is raised."""
    file = tmp_path / "trace.json"
    file.write_text(json.dumps(rows))
    done = CliRunner().invoke(verify.app, [RUN, "--from", str(file), *words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout


def found_in(tmp_path: Path, rows: Rows) -> dict[str, Any]:
    code, text = verified(tmp_path, rows, "--json")
    found: dict[str, Any] = json.loads(text)
    assert code == (0 if found["identical"] else Exit.FAILED)
    return found


def difference(rows: Rows) -> tuple[str, str]:
    """Return event and field of the first difference; empty where all is identical."""
    found = verify.compare([Row.model_validate(row) for row in rows]).difference
    return (found.event, found.field) if found else ("", "")
