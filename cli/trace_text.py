"""The trace of a run as lines. Pure."""

import json
from collections.abc import Iterator
from datetime import datetime

from rich.text import Text

from cli.event_words import words_of
from cli.ledger import LedgerEntry
from cli.story import Story, SymbolStory
from cli.symbol_text import field, symbol_lines
from cli.terminal import one_line, safe
from cli.words import NEW_YORK, number, wall_time
from shared.events.evidence import Indicators
from shared.events.order import OrderChanged
from shared.events.signal import ModelCall

_LONGEST_TEXT = 600
_LONGEST_WORDS = 90


def trace_lines(story: Story, *, full: bool) -> list[Text]:
    """Return the events in the order of their time, then each symbol. ``full`` cuts nothing."""
    lines = [Text("    +ms  wall (UTC)    market (New York)    what", "bold")]
    lines += [_event(entry, story, full=full) for entry in story.entries]
    for symbol in story.symbols:
        lines += [Text(""), *_symbol(story.symbol(symbol), full=full)]
    return lines


def _event(entry: LedgerEntry, story: Story, *, full: bool) -> Text:
    began = story.entries[0].timestamp
    offset = (entry.timestamp - began).total_seconds() * 1_000
    words = words_of(entry)
    words = safe(words) if full else one_line(words, _LONGEST_WORDS)
    symbol = f"{entry.symbol} " if entry.symbol else ""
    return Text.assemble(
        f"{offset:>+7.0f}  {wall_time(entry.timestamp)[11:]}  {_market_time(entry):<19}  ",
        (f"{entry.type:<17} ", "bold"),
        (safe(symbol), "bold"),
        words,
        (f"  [{entry.position} by {safe(entry.service)}]", "dim"),
    )


def _market_time(entry: LedgerEntry) -> str:
    at = getattr(entry.event, "market_time", None)
    if not isinstance(at, datetime) or at.tzinfo is None:
        return "-"
    return f"{at.astimezone(NEW_YORK):%Y-%m-%d %H:%M:%S}"


def _symbol(symbol: SymbolStory, *, full: bool) -> Iterator[Text]:
    head, *rest = symbol_lines(symbol, full=full)
    yield head
    if symbol.evidence:
        yield rest.pop(0)
        evidence = symbol.evidence.evidence
        yield field("evidence", f"{len(evidence.bars)} daily bars, {symbol.evidence.evidence_hash}")
        yield from _wrapped("indicators", _indicators(evidence.indicators))
    if symbol.signal and symbol.signal.call:
        yield from _call(symbol.signal.call, full=full)
    yield from rest
    yield from _orders(symbol.orders)


def _indicators(found: Indicators) -> list[str]:
    values = found.model_dump().items()
    return [f"{name} {'none' if value is None else f'{value:.2f}'}" for name, value in values]


def _wrapped(name: str, words: list[str], per_line: int = 5) -> Iterator[Text]:
    for start in range(0, len(words), per_line):
        yield field(name if start == 0 else "", "  ".join(words[start : start + per_line]))


def _call(call: ModelCall, *, full: bool) -> Iterator[Text]:
    tokens = f"{number(call.prompt_tokens)} + {number(call.completion_tokens)} tokens"
    tries = f", attempt {call.attempts}" if call.attempts > 1 else ""
    yield field("model", f"{call.model}, {tokens}, {number(call.latency_ms)} ms{tries}")
    yield field("template", f"{call.prompt_version}, {call.template_hash}")
    for role, content in messages_of(call.request):
        yield from _block(f"prompt: {role}", content, full=full)
    if full:
        yield from _block("request as sent", call.request, full=True)
    yield from _block("raw answer", call.answer, full=full)


def messages_of(request: str) -> list[tuple[str, str]]:
    """Return role and content of the messages of a chat request; the whole where it is none."""
    try:
        messages = json.loads(request)["messages"]
        return [(str(m["role"]), str(m["content"])) for m in messages]
    except (ValueError, KeyError, TypeError):
        return [("request", request)]


def _block(name: str, text: str, *, full: bool) -> Iterator[Text]:
    cut = len(text) - _LONGEST_TEXT
    shown = text if full or cut <= 0 else text[:_LONGEST_TEXT]
    yield Text(f"  {name}", "dim")
    for line in safe(shown).split("\n"):
        yield Text.assemble(("  │ ", "dim"), line)
    if shown is not text:
        yield Text(f"  │ … {number(cut)} characters more: --full shows all", "dim")


def _orders(orders: tuple[OrderChanged, ...]) -> Iterator[Text]:
    for event in orders:
        yield field("intent", f"{event.intent_id}, change {event.seq}: {event.state}")
        if event.closing and event.decision_hash:
            yield field("decision", f"hash {event.decision_hash}")
