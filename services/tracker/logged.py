"""What MLflow is told of a run: one run of its own, and a child per symbol. Pure.

It is told again whenever there is news, and the same events always tell the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from services.tracker import figures, files
from services.tracker.chart import chart
from services.tracker.history import History
from shared.canonical import plain
from shared.events.run import Outcome, RunContext
from shared.events.signal import ModelCall
from shared.story import SymbolStory

WHOLE: Final = ""
# Of params and tags; older servers take no more.
_LONGEST: Final = 500

RUN_TAG: Final = "openbell.run_id"
SYMBOL_TAG: Final = "openbell.symbol"
LEFT_OUT_TAG: Final = "openbell.left_out"


@dataclass(frozen=True)
class Call:
    """The call of the model, as a trace. ``ended`` is when its answer was there."""

    name: str
    call: ModelCall
    ended: datetime


@dataclass(frozen=True)
class Logged:
    """One of MLflow's runs, to be written whole. ``symbol`` is ``WHOLE`` for that of the run."""

    symbol: str
    name: str
    status: Literal["FINISHED", "FAILED"]
    started: datetime
    ended: datetime
    tags: Mapping[str, str]
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    files: Mapping[str, str] = field(default_factory=dict)
    call: Call | None = None


def logged(history: History, left_out: str | None = None) -> list[Logged]:
    """Return the run and its symbols, of a history with a beginning and an end.

    ``left_out`` says why charts and traces are, where they are.
    """
    accepted, finished = history.accepted, history.finished
    if accepted is None or finished is None:
        msg = "expected run.accepted and run.finished"
        raise ValueError(msg)
    context = accepted.context
    tags = {
        RUN_TAG: accepted.run_id,
        "openbell.mode": context.mode.value,
        "openbell.strategy": context.strategy.name,
        LEFT_OUT_TAG: left_out,
    }
    params = _params(context, history)
    whole = Logged(
        symbol=WHOLE,
        name=accepted.run_id,
        status="FAILED" if finished.status == "failed" else "FINISHED",
        started=accepted.occurred_at,
        ended=finished.occurred_at,
        tags=_texts(
            tags
            | {
                "openbell.status": finished.status,
                "openbell.decision_hash": finished.decision_hash,
                "openbell.source": accepted.source,
                "mlflow.note.content": context.note,
            }
        ),
        params=_texts(params | {"symbols": ", ".join(accepted.symbols)}),
        metrics=figures.of_run(history),
        files=files.of_run(history),
    )
    ends = {end.symbol: end for end in finished.symbols}
    children = [
        _child(whole, history, tags | _ending(plain(ends[symbol])), params, symbol)
        for symbol in ends
    ]
    return [whole, *children]


def _child(
    whole: Logged, history: History, tags: dict[str, Any], params: dict[str, Any], symbol: str
) -> Logged:
    story = history.symbol(symbol)
    drawn = None if tags[LEFT_OUT_TAG] else chart(story)
    return Logged(
        symbol=symbol,
        name=symbol,
        status="FAILED" if tags["openbell.outcome"] == Outcome.FAILED else "FINISHED",
        started=whole.started,
        ended=whole.ended,
        tags=_texts(tags | {SYMBOL_TAG: symbol} | _symbol_tags(story)),
        params=_texts(params | _symbol_params(story)),
        metrics=figures.of_symbol(history, story),
        files=files.of_symbol(history, story) | ({"chart.svg": drawn} if drawn else {}),
        call=None if tags[LEFT_OUT_TAG] else _call(story),
    )


def _params(context: RunContext, history: History) -> dict[str, Any]:
    """Return what decides: strategy and limits as resolved, model and prompt as used."""
    strategy, limits = plain(context.strategy), plain(context.limits)
    calls = [
        s.call for symbol in history.symbols if (s := history.symbol(symbol).signal) and s.call
    ]
    return {
        **{f"strategy.{name}": value for name, value in strategy.items() if name != "description"},
        **{f"limits.{name}": value for name, value in limits.items()},
        "mode": context.mode.value,
        "account": context.account,
        "deadline": context.deadline,
        "model": ", ".join(sorted({call.model for call in calls})) or None,
        "prompt_version": ", ".join(sorted({call.prompt_version for call in calls})) or None,
    }


def _ending(end: dict[str, Any]) -> dict[str, Any]:
    return {
        f"openbell.{name}": end[name] for name in ("outcome", "code", "reason", "decision_hash")
    }


def _symbol_tags(symbol: SymbolStory) -> dict[str, Any]:
    if symbol.signal is None:
        return {}
    return {
        "openbell.action": symbol.signal.action.value,
        "openbell.signal_hash": symbol.signal.signal_hash,
        "openbell.evidence_hash": symbol.signal.evidence_hash,
    }


def _symbol_params(symbol: SymbolStory) -> dict[str, Any]:
    params: dict[str, Any] = {"symbol": symbol.symbol}
    if symbol.evidence is not None:
        contract = symbol.evidence.evidence.contract
        params |= {"contract.conid": contract.conid, "contract.exchange": contract.exchange}
    if symbol.signal is not None:
        params |= {"signal.source": symbol.signal.source}
        if symbol.signal.call is not None:
            params |= {"template_hash": symbol.signal.call.template_hash}
    return params


def _call(symbol: SymbolStory) -> Call | None:
    signal = symbol.signal
    if signal is None or signal.call is None:
        return None
    return Call(f"{signal.run_id} {signal.symbol}", signal.call, signal.occurred_at)


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    """Return values as MLflow and the databases behind it take them; what is None is left out."""
    return {name: _text(value) for name, value in values.items() if value is not None}


def _text(value: Any) -> str:
    joined = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    text = joined.replace("\x00", "\\x00")
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
