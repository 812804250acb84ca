"""One symbol of a run, from quote to outcome, as lines. Pure."""

from collections.abc import Sequence

from rich.text import Text

from cli.run_text import outcome_text
from cli.story import SymbolStory
from cli.terminal import one_line, safe
from cli.words import exchange_time, number, price
from shared.events.base import Check
from shared.events.order import OrderChanged
from shared.events.signal import SignalChecked

_NAME = 11
_LONGEST = 200


def symbol_lines(symbol: SymbolStory, *, full: bool = False) -> list[Text]:
    """Return what was seen, proposed, checked and decided; ``full`` cuts nothing short."""
    outcome = symbol.outcome
    head = outcome_text(outcome) if outcome else Text("under way", "yellow")
    lines = [Text.assemble((f"{symbol.symbol}  ", "bold"), head)]
    if symbol.evidence:
        quote = symbol.evidence.evidence.quote
        lines.append(
            field(
                "quote",
                f"last {price(quote.last)}  bid {price(quote.bid)}  ask {price(quote.ask)}"
                f"  at {exchange_time(quote.at)}",
            )
        )
    if symbol.signal:
        lines += [
            *signal_lines(symbol.signal, full=full),
            *check_lines("checks", symbol.signal.checks),
        ]
    if symbol.closing:
        lines += [*check_lines("risk", symbol.closing.checks), *order_lines(symbol.closing)]
    return [*lines, *_outcome(symbol, full=full)]


def signal_lines(signal: SignalChecked, *, full: bool = False) -> list[Text]:
    """Return the proposal, who made it, why, and what the checks made of it."""
    proposal = signal.proposal
    if proposal is None:
        lines = [field("signal", f"no usable proposal by {proposer(signal)}: HOLD")]
    else:
        said = f"{proposal.action} with confidence {proposal.confidence}"
        checked = "" if signal.action == proposal.action else f"; after the checks {signal.action}"
        lines = [field("signal", f"{said}, proposed by {proposer(signal)}{checked}")]
        if proposal.stop_loss is not None or proposal.take_profit is not None:
            levels = f"stop {price(proposal.stop_loss)}, target {price(proposal.take_profit)}"
            lines.append(field("levels", levels))
    reasons = proposal.reasons if proposal else ()
    labels = ("reasons", *("" for _ in reasons))
    return lines + [
        field(name, _cut(why, full=full)) for name, why in zip(labels, reasons, strict=False)
    ]


def proposer(signal: SignalChecked) -> str:
    """Return who proposed: the model by its name, or the rules."""
    return f"the model {safe(signal.call.model)}" if signal.call else "fixed rules (no model)"


def check_lines(name: str, checks: Sequence[Check]) -> list[Text]:
    """Return one line per check: what it asked for and what it found."""
    widest = max((len(check.name) for check in checks), default=0)
    lines = []
    for place, check in enumerate(checks):
        mark = ("✓", "green") if check.passed else ("✗", "red")
        words = f" {check.name:<{widest}}  required {check.required}, found {check.found}"
        label = (f"  {name if place == 0 else '':<{_NAME}}", "dim")
        lines.append(Text.assemble(label, mark, safe(words)))
    return lines


def order_lines(event: OrderChanged) -> list[Text]:
    """Return the order and its fill, where there are some."""
    lines = []
    if event.order:
        order = event.order
        words = f"{order.side} {number(order.quantity)} at {price(order.limit_price)}"
        lines.append(field("order", f"{words} {order.order_type} {order.tif}, {event.mode}"))
    if event.fill:
        fill = event.fill
        kind = "simulated, no broker was asked" if fill.simulated else "by the broker"
        lines.append(field("fill", f"{number(fill.quantity)} at {price(fill.price)}, {kind}"))
    return lines


def field(name: str, words: str) -> Text:
    """Return a line with its label."""
    return Text.assemble((f"  {name:<{_NAME}}", "dim"), safe(words))


def _cut(words: str, *, full: bool) -> str:
    return words if full else one_line(words, _LONGEST)


def _outcome(symbol: SymbolStory, *, full: bool) -> list[Text]:
    if symbol.closing:
        closing = symbol.closing
        reason = _cut(closing.reason, full=full)
        return [field("outcome", f"{_named(symbol.outcome, closing.code)}: {reason}")]
    if symbol.failure:
        failed = symbol.failure
        tries = f" after {failed.attempts} attempts" if failed.attempts > 1 else ""
        head = f"{symbol.outcome} at step {failed.step}{tries}"
        words = f"{_named(head, failed.code)}: {_cut(failed.reason, full=full)}"
        return [field("outcome", words)]
    return []


def _named(outcome: str | None, code: str) -> str:
    """Return an outcome with its code, which some outcomes have for a name."""
    return code if outcome == code else f"{outcome}, {code}"
