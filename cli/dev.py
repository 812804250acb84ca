"""``test``, ``lint``, ``types``, ``bench``, ``faults``: what developers and CI run."""

import subprocess
import sys
from pathlib import Path

import typer

from deploy.native.home import CHECKOUT

app = typer.Typer()

_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}
_LINTERS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("lint-imports",),
    ("vulture",),
)
_TYPES = (("mypy", "shared", "services", "cli", "deploy", "bench", "tests"),)
_TESTS = ("pytest", "--quiet")


@app.command(context_settings=_PASSED_ON)
def test(context: typer.Context) -> None:
    """Check style, imports, dead code and types, then run all tests; arguments go to pytest."""
    if not context.args:
        _run(*_LINTERS, *_TYPES)
    _run((*_TESTS, *context.args))


@app.command()
def lint() -> None:
    """Check style, format, import rules and dead code."""
    _run(*_LINTERS)


@app.command()
def types() -> None:
    """Check types, strictly."""
    _run(*_TYPES)


@app.command(context_settings=_PASSED_ON)
def faults(context: typer.Context) -> None:
    """Kill, freeze and repeat at every stage; CI takes a seeded part of it."""
    _run((*_TESTS, "tests/faults", "--faults=all", "--tracking=all", *context.args))


@app.command(context_settings=_PASSED_ON)
def bench(context: typer.Context) -> None:
    """Measure runs from request to outcome on a stack of its own; print the tables."""
    _run(("bench.runs", *context.args), module=True)


def _run(*commands: tuple[str, ...], module: bool = False) -> None:
    """Run programs of the environment one after the other; end with the first that fails."""
    for command in commands:
        program = Path(sys.executable).with_name(command[0])
        words = [sys.executable, "-m", *command] if module else [str(program), *command[1:]]
        typer.echo(f"$ {' '.join(command)}", err=True)
        code = subprocess.run(words, cwd=CHECKOUT, check=False).returncode  # noqa: S603
        if code:
            raise typer.Exit(code)
