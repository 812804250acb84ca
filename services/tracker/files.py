"""The files of a run and of a symbol, as MLflow's artifacts: name and text. Pure."""

import json
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel

from services.tracker.history import History, Told
from shared.canonical import plain
from shared.story import SymbolStory

Files = dict[str, str]

# What an event of a timeline says, as far as its type has it.
_SAID = ("symbol", "step", "state", "action", "status", "code", "reason", "until", "attempts")


def of_run(history: History) -> Files:
    """Return how the run began, went on and ended."""
    files = {"timeline.json": _json(_timeline(history.entries))}
    if history.accepted is not None:
        files["accepted.json"] = _json(history.accepted)
    if history.finished is not None:
        files["finished.json"] = _json(history.finished)
    return files


def of_symbol(history: History, symbol: SymbolStory) -> Files:
    """Return evidence, prompt and answer byte for byte, signal, orders, and its timeline."""
    its_own = (symbol.symbol, None)
    entries = [e for e in history.entries if getattr(e.event, "symbol", None) in its_own]
    files = {"timeline.json": _json(_timeline(entries))}
    if symbol.evidence is not None:
        files["evidence.json"] = _json(symbol.evidence.evidence)
    if symbol.signal is not None:
        files["signal.json"] = _json(symbol.signal)
        if symbol.signal.call is not None:
            files["prompt.json"] = symbol.signal.call.request
            files["answer.txt"] = symbol.signal.call.answer
    if symbol.orders:
        files["order.json"] = _json(list(symbol.orders))
    if symbol.failure is not None:
        files["failure.json"] = _json(symbol.failure)
    return files


def _timeline(entries: Iterable[Told]) -> list[dict[str, Any]]:
    return [
        {
            "at": entry.timestamp.isoformat(),
            "market_time": entry.event.market_time.isoformat(),
            "type": entry.event.type,
        }
        | {n: v for n in _SAID if (v := plain(getattr(entry.event, n, None))) is not None}
        for entry in entries
    ]


def _json(value: BaseModel | list[Any]) -> str:
    return json.dumps(plain(value), indent=2, ensure_ascii=False, default=str)
