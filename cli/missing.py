"""What a log lacks of a run that is finished. No I/O."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from cli.differences import Difference
from cli.retold.log import HEADS, OF_SYMBOL, Log, place_of
from cli.rows import Row
from shared.events.run import RunAccepted, RunFinished


@dataclass(frozen=True)
class Gap(Difference):
    """What is not there, where all that is there is identical."""

    def __str__(self) -> str:
        return "{recorded}: its log lacks {recomputed}".format(**self.shown)


def gap(rows: Sequence[Row]) -> Gap | None:
    """Return what is missing, or None where a run is told from acceptance to end."""
    log = Log.of(rows)
    lacking = missing(log)
    if not lacking:
        return None
    ended = log.first(RunFinished) is not None
    found = "the run is not told whole" if ended else "the run is not finished"
    return Gap("run.finished", "missing", found, "; ".join(lacking))


def missing(log: Log) -> list[str]:
    """Return what is missing, in the order in which it comes."""
    accepted = log.first(RunAccepted)
    symbols = accepted.symbols if accepted else ()
    open_symbols = [s for s in symbols if next(log.outcomes(s), None) is None]
    return [
        *_missing_heads(log),
        *(step for symbol in symbols for step in _missing_steps(log, symbol)),
        *([f"an outcome of {', '.join(open_symbols)}"] if open_symbols else []),
        *([] if log.first(RunFinished) else [RunFinished.type]),
    ]


def _missing_heads(log: Log) -> list[str]:
    """Return the heads without which what is there could not be."""
    on_path = [place for event in log.events if (place := place_of(type(event))) < _OFF_PATH]
    reached = max(on_path, default=0)
    return [head.type for head in HEADS[: reached + 1] if log.first(head) is None]


def _missing_steps(log: Log, symbol: str) -> list[str]:
    return [
        f"{before.type} of {symbol}"
        for before, after in itertools.pairwise(OF_SYMBOL)
        if log.first(after, symbol) and not log.first(before, symbol)
    ]


_OFF_PATH = len(HEADS) + len(OF_SYMBOL)
