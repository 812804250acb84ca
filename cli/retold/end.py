"""The end of a run, computed again from what the log says of its symbols."""

from cli.differences import Parts
from cli.retold.log import Log
from services.api.closing import decision_hash_of, status_of
from shared.events.run import RunAccepted, RunFinished, SymbolOutcome


def end(event: RunFinished, log: Log) -> Parts:
    """Yield the outcomes of all symbols that were accepted, and what follows from them."""
    accepted = log.first(RunAccepted)
    symbols = accepted.symbols if accepted else tuple(o.symbol for o in event.symbols)
    recorded = {outcome.symbol: outcome for outcome in event.symbols}
    outcomes = [_outcome(symbol, recorded.get(symbol), log) for symbol in symbols]
    yield "symbols", event.symbols, outcomes
    known = [outcome for outcome in outcomes if outcome is not None]
    yield "status", event.status, status_of(known)
    yield "decision_hash", event.decision_hash, decision_hash_of(known)


def _outcome(symbol: str, recorded: SymbolOutcome | None, log: Log) -> SymbolOutcome | None:
    """Return what the log says of a symbol: as the run's end says, else what it says first."""
    said = list(log.outcomes(symbol))
    alike = [outcome for outcome in said if recorded and outcome.outcome == recorded.outcome]
    return next(iter(alike + said), None)
