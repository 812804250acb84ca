"""What the demo says. Pure."""

from collections.abc import Sequence

from rich.text import Text

from cli.run_text import status_text
from cli.steps import steps_of
from cli.story import Story
from cli.symbol_text import symbol_lines
from cli.words import duration
from deploy.native.wiring import Wiring
from shared.events.signal import Action

# The model that ships is the only one that runs as a part of the stack.
_BUNDLED_PART = "llm"


def model_lines(wiring: Wiring) -> list[Text]:
    """Return which model proposes, and what it is worth where it is the bundled one."""
    if wiring.port(_BUNDLED_PART):
        return [
            Text(f"model: {wiring.llm_model}, bundled, on this machine's CPU"),
            Text(
                "  This 135M-parameter model shows the plumbing and is no adviser: its proposals "
                "mean nothing.",
                "yellow",
            ),
        ]
    return [Text(f"model: {wiring.llm_model or 'as each answer names it'} at {wiring.llm_url}")]


def decided_lines(story: Story) -> list[Text]:
    """Return each symbol from quote to outcome, then the run's hash and how long it took."""
    lines = []
    for symbol in story.symbols:
        lines += [Text(""), *symbol_lines(story.symbol(symbol))]
    if story.finished:
        lines += [Text(""), Text(f"decision hash  {story.finished.decision_hash}")]
        lines += [Text(f"timings        {timings(story)}")]
    return lines


def timings(story: Story) -> str:
    """Return how long each step took, and the whole without the wait for the bell."""
    took = {step.name: step.seconds for step in steps_of(story) if step.seconds is not None}
    parts = [f"{name} {duration(seconds)}" for name, seconds in took.items()]
    total = duration(sum(seconds for name, seconds in took.items() if name != "market_open"))
    return f"{', '.join(parts)}; {total} without market_open"


def order_words(story: Story) -> str:
    """Return in a sentence whether a simulated order was seen, and why not where it was not."""
    symbols = [story.symbol(symbol) for symbol in story.symbols]
    ordered = [s.symbol for s in symbols if s.outcome == "simulated"]
    if ordered:
        return f"simulated order: {', '.join(ordered)}. No order was sent to any broker."
    signals = [s.signal for s in symbols if s.signal]
    agreed = [s for s in signals if s.proposal and s.proposal.action is not Action.HOLD]
    if signals and not agreed:
        return (
            "no simulated order today: the votes of the rules do not agree on any symbol, and no "
            "check is loosened to show one. Another day may differ."
        )
    return "no simulated order today: the checks above stand against it, and none is loosened."


def closing_lines(stories: Sequence[Story], wiring: Wiring) -> list[Text]:
    """Return how the runs ended, where to look on, and how to stop."""
    lines = [Text("runs", "bold")]
    for story in stories:
        if story.accepted and story.finished:
            head = f"  {story.accepted.run_id}  {story.accepted.context.strategy.name:<13} "
            lines.append(Text.assemble(head, status_text(story.finished.status)))
    run_id = stories[0].accepted.run_id if stories and stories[0].accepted else "RUN"
    look = {
        f"./openbell trace {run_id}": "every event, the exact prompt, the raw answer",
        f"./openbell show {run_id}": "the run in short",
        f"./openbell verify {run_id}": "recompute the decision from the log",
        "./openbell status": "what runs",
    }
    widest = max(map(len, look))
    lines += [Text(""), Text("look around", "bold")]
    lines += [Text.assemble(f"  {c:<{widest}}  ", (w, "dim")) for c, w in look.items()]
    lines += [
        Text.assemble(f"  {wiring.url('api')}/docs  ", ("the API; token in ", "dim")).append(
            str(wiring.files.token)
        ),
        Text.assemble(
            f"  {wiring.mlflow_uri}  ",
            ("MLflow: each run and symbol; it starts by itself after the stack", "dim"),
        ),
        Text.assemble(f"  {wiring.files.logs}  ", ("logs", "dim")),
        Text(""),
        Text.assemble(("stop it  ", "bold"), "./openbell down"),
    ]
    return lines
