"""``market`` and ``broker``: what is now."""

from datetime import datetime
from typing import Any

import typer
from rich.text import Text

from cli import target
from cli.terminal import AsJson, make_console, print_json, print_lines, safe
from cli.words import duration, exchange_time, wall_time
from shared.market_time import wall_now

app = typer.Typer()


@app.command()
def market(*, as_json: AsJson = False) -> None:
    """Show market time and the session of each exchange."""
    found = target.api().get("/market")
    if as_json:
        print_json(found)
    else:
        print_lines(make_console(), market_lines(found))


@app.command()
def broker(*, as_json: AsJson = False) -> None:
    """Show the broker's session."""
    found = target.api().get("/broker")
    if as_json:
        print_json(found)
    else:
        print_lines(make_console(), broker_lines(found, wall_now()))


def market_lines(found: dict[str, Any]) -> list[Text]:
    """Return ``GET /market`` as lines. A session past its next bell is unknown."""
    now = datetime.fromisoformat(found["market_time"])
    lines = [Text(f"market time {exchange_time(now)}")]
    for session in found["sessions"]:
        bell = datetime.fromisoformat(session["valid_until"])
        state = session["state"] if now < bell else "unknown"
        style = {"open": "green", "unknown": "red"}.get(state, "yellow")
        until = f" until {exchange_time(bell)}" if now < bell else ": the clock has not told"
        lines.append(Text.assemble(f"{session['exchange']} is ", (state, style), until))
    return lines if found["sessions"] else [*lines, Text("no exchange is known yet")]


def broker_lines(found: dict[str, Any], now: datetime) -> list[Text]:
    """Return ``GET /broker`` as lines. A state that is no longer vouched for is unknown."""
    valid = datetime.fromisoformat(found["valid_until"])
    state = found["state"] if now < valid else "unknown"
    style = {"ready": "green", "unknown": "red", "unreachable": "red"}.get(state, "yellow")
    since = datetime.fromisoformat(found["since"])
    lines = [
        Text.assemble("broker session is ", (state, style), f": {safe(found['why'])}"),
        Text(f"  since {wall_time(since)[:19]} UTC"),
    ]
    if now >= valid:
        ago = duration((now - valid).total_seconds())
        lines.append(Text(f"  it was {found['state']}, and nothing was heard for {ago} past due"))
    if found["accounts"]:
        kind = "simulated" if found["simulated"] else "paper" if found["paper"] else "live"
        lines.append(Text(f"  accounts {', '.join(found['accounts'])} ({kind})"))
    return lines
