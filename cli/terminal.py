"""The terminal: plain when piped, and never steered by what strangers or models wrote."""

import json
import sys
from collections.abc import Iterable
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

# Without a terminal nothing is folded: lines are for grep.
_PIPED_WIDTH = 1_000

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document, for programs.")]


def make_console() -> Console:
    """Return the console of standard output."""
    width = None if sys.stdout.isatty() else _PIPED_WIDTH
    return Console(highlight=False, markup=False, emoji=False, width=width)


def print_lines(console: Console, lines: Iterable[Text]) -> None:
    """Print lines, folded at words where the terminal is narrower."""
    for line in lines:
        console.print(line)


def print_json(document: Any) -> None:
    """Print a document of JSON types and nothing else."""
    sys.stdout.write(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def safe(text: str) -> str:
    """Return text whose control characters are written out; new lines and tabs stay.

    What a model answers or a client notes could otherwise move the cursor or hide a line.
    """
    return "".join(
        c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text
    )


def one_line(text: str, longest: int = 100) -> str:
    """Return text safe, on one line, cut where it is longer."""
    flat = " ".join(safe(text).split())
    return flat if len(flat) <= longest else f"{flat[: longest - 1]}…"
