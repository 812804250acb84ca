"""``doctor``: is this machine fit, is the stack well, and what to do where not."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from typing import Annotated

import typer

from cli.stack import this_stack
from deploy.native.checkup import Finding, examine_machine
from deploy.native.rounds import examine_stack

app = typer.Typer()


@app.command()
def doctor(
    *, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False
) -> None:
    """Check the machine and the stack; exit code 1 where something is wrong."""
    findings = []
    for finding in _findings():
        findings.append(finding)
        if not as_json:
            typer.echo(_line(finding))
    if as_json:
        typer.echo(json.dumps({"checks": [asdict(finding) for finding in findings]}, indent=1))
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


def _findings() -> Iterator[Finding]:
    stack = this_stack()
    yield from examine_machine(stack.home)
    state = stack.state()
    if state is None:
        yield Finding("stack", ok=True, detail="not running; openbell up starts it")
    else:
        yield from examine_stack(state, os.environ)


def _line(finding: Finding) -> str:
    mark, advice = ("ok", "") if finding.ok else ("!!", f" -> {finding.advice}")
    return f"{mark} {finding.name:<14} {finding.detail}{advice}"
