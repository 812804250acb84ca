"""Runs as REST shows them, as lines. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from cli.terminal import one_line, safe
from cli.words import duration, wall_time

STATUS_STYLES = {"succeeded": "green", "failed": "red", "running": "yellow"}
OUTCOME_STYLES = {
    "failed": "red",
    "rejected": "red",
    "declined": "yellow",
    "expired": "yellow",
    "cancelled": "yellow",
    "simulated": "green",
    "submitted": "green",
}


def runs_table(runs: Sequence[dict[str, Any]]) -> Table:
    """Return the rows of ``GET /runs``."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("run", "status", "strategy", "mode", "accepted (UTC)", "took", "symbols"):
        table.add_column(name, overflow="fold", justify="right" if name == "took" else "left")
    for run in runs:
        table.add_row(
            run["run_id"],
            status_text(run["status"]),
            run["strategy"],
            run["mode"],
            wall_time(datetime.fromisoformat(run["accepted_at"]))[:19],
            _took(run),
            ", ".join(f"{s['symbol']} {s['outcome'] or '…'}" for s in run["symbols"]),
        )
    return table


def run_lines(run: dict[str, Any]) -> list[Text]:
    """Return the head of a run: who, what, where it is."""
    symbols = ", ".join(symbol["symbol"] for symbol in run["symbols"])
    head = f"{run['strategy']} (strategy {run['strategy_id']}), {run['mode']}: {symbols}"
    lines = [
        Text.assemble((f"run {run['run_id']}", "bold"), "  ", status_text(run["status"])),
        Text(f"  {head}"),
    ]
    if run["waiting"]:
        lines.append(Text(f"  waits: {one_line(run['waiting'], 200)}", "yellow"))
    return lines


def outcome_lines(run: dict[str, Any]) -> list[Text]:
    """Return what became of each symbol, and the decision hash once there is one."""
    lines = [_outcome(symbol) for symbol in run["symbols"] if symbol["outcome"]]
    if run["decision_hash"]:
        lines.append(Text(f"  decision hash {run['decision_hash']}", "dim"))
    if lines:
        lines.append(Text(f"  the whole story: ./openbell trace {run['run_id']}", "dim"))
    return lines


def status_text(status: str) -> Text:
    """Return a status in its colour."""
    return Text(status, STATUS_STYLES.get(status, ""))


def outcome_text(outcome: str) -> Text:
    """Return an outcome in its colour."""
    return Text(outcome, OUTCOME_STYLES.get(outcome, "bold"))


def _outcome(symbol: dict[str, Any]) -> Text:
    outcome, code = symbol["outcome"], symbol["code"]
    named = "" if code == outcome else f", {code}"
    words = f"{named}: {safe(symbol['reason'])}"
    return Text.assemble((f"  {symbol['symbol']:<6} ", "bold"), outcome_text(outcome), words)


def _took(run: dict[str, Any]) -> str:
    if run["finished_at"] is None:
        return ""
    began, ended = map(datetime.fromisoformat, (run["accepted_at"], run["finished_at"]))
    return duration((ended - began).total_seconds())
