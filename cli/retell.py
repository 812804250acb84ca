"""Retelling a run: everything in its events that is a pure function, computed again. No I/O.

Each step is recomputed from what the log says went into it, so that the first field that differs
is the one that was changed, in the log or in the code.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pydantic import ValidationError

from cli.differences import Difference, Parts, differences
from cli.retold import end, evidence, heads, order, signal
from cli.retold.carried import alone, carried
from cli.retold.log import Log
from cli.rows import NOT_AN_EVENT, Row
from shared.envelope import first_problem
from shared.events.base import Event
from shared.events.evidence import EvidenceCaptured
from shared.events.order import OrderChanged
from shared.events.run import RunAccepted, RunFinished, RunMarketOpen
from shared.events.signal import SignalChecked

Part = Callable[[Any, Log], Parts]

# What an event consists of, each part with the field that is to blame where it cannot be computed.
_PARTS: dict[type[Event], tuple[tuple[str, Part], ...]] = {
    RunAccepted: (("request", heads.asked),),
    RunMarketOpen: (("market_time", heads.session),),
    EvidenceCaptured: (
        ("evidence", evidence.facts),
        ("evidence.bars", evidence.from_bars),
        ("evidence.quote", evidence.quality_of_quote),
        ("evidence.bars", evidence.quality_of_bars),
    ),
    SignalChecked: (
        ("evidence_hash", signal.facts),
        ("call.request", signal.question),
        ("call.answer", signal.answer),
        ("proposal", signal.decision),
    ),
    OrderChanged: (("intent_id", order.intent), ("order", order.decision)),
    RunFinished: (("symbols", end.end),),
}
_OF_ALL: tuple[tuple[str, Part], ...] = (("event", alone), ("event", carried))


def retell(rows: Sequence[Row]) -> Difference | None:
    """Return the first difference in a run, or None where all is identical.

    ``rows`` are those of the run alone (``without_others``); what counts is their raw text.
    """
    unread = (problem for row in rows if (problem := _unreadable(row)) is not None)
    return next(unread, None) or next(_differences(Log.of(rows)), None)


def _differences(log: Log) -> Iterator[Difference]:
    for event in log.along_the_path():
        label = f"{event.type} {getattr(event, 'symbol', None) or ''}".strip()
        for blamed, part in (*_OF_ALL, *_PARTS.get(type(event), ())):
            yield from differences(label, blamed, part(event, log))


def _unreadable(row: Row) -> Difference | None:
    """Return why a row that was an event is none any more."""
    field, why = "topic", "no topic of openbell"
    try:
        row.read()
    except ValidationError as e:
        field = ".".join(map(str, e.errors()[0]["loc"])) or "body"
        why = first_problem(e)
    except KeyError:
        pass
    except NOT_AN_EVENT as e:
        field, why = "body", f"{type(e).__name__}: {e}"
    else:
        return None
    return Difference(row.label, field, "not the event any more", why)
