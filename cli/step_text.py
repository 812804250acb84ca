"""The steps of a run as lines. Pure."""

from datetime import datetime

from rich.text import Text

from cli.steps import Step, steps_of
from cli.story import Story
from cli.terminal import one_line
from cli.words import countdown, duration, exchange_time

_MARKS = {
    "pending": ("·", "dim"),
    "active": ("…", "yellow"),
    "waiting": ("…", "yellow"),
    "done": ("✓", "green"),
    "failed": ("✗", "red"),
    "skipped": ("-", "dim"),
}


def step_lines(story: Story, *, now: datetime, market_now: datetime) -> list[Text]:
    """Return one line per step; ``now`` is wall time and moves what is under way."""
    return [step_line(step, story, now, market_now) for step in steps_of(story)]


def step_line(step: Step, story: Story, now: datetime, market_now: datetime) -> Text:
    """Return the line of a step."""
    mark, style = _MARKS[step.condition]
    note = one_line(step.note, 160)
    if step.condition == "waiting":
        note = waiting_note(story, market_now)
    return Text.assemble(
        "  ", (mark, style), f" {step.name:<13}", f"{_took(step, now):>12}  ", (note, "dim")
    )


def waiting_note(story: Story, market_now: datetime) -> str:
    """Return what a run waits for; with a countdown where the market's clock tells one."""
    waiting = story.waiting
    if waiting is None:
        return ""
    until = waiting.until
    if until is None or until <= market_now:
        return f"waiting: {one_line(waiting.reason, 160)}"
    bell = f"waiting for the bell at {exchange_time(until)}"
    return f"{bell}, in {countdown(until - market_now)}"


def _took(step: Step, now: datetime) -> str:
    if step.condition in {"pending", "skipped"}:
        return ""
    if step.seconds is not None:
        return duration(step.seconds)
    if step.began is None or step.condition == "failed":
        return ""
    return duration(max((now - step.began).total_seconds(), 0))
