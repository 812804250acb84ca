"""Evidence, computed again: its hashes, its indicators, and whether it was good enough."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

from cli.differences import Parts
from cli.retold.log import Log
from services.marketdata.evidence import fingerprints
from services.marketdata.indicators import indicators
from services.marketdata.quality import check_bars, check_quote
from services.marketdata.trading_day import today
from shared.canonical import sha256_of
from shared.events.evidence import EvidenceCaptured
from shared.events.run import RunBrokerReady
from shared.failures import StepFailedError

# An event is stamped a moment after its quote was found fresh.
_STAMPED_LATER: Final = timedelta(seconds=1)
_GOOD: Final = "good enough"


def facts(event: EvidenceCaptured, _: Log) -> Parts:
    """Yield each part of the evidence by its fingerprint."""
    yield "evidence", event.fingerprints, fingerprints(event.evidence)
    yield "evidence.contract.symbol", event.evidence.contract.symbol, event.symbol


def from_bars(event: EvidenceCaptured, _: Log) -> Parts:
    """Yield the indicators, and then the hash of the whole."""
    evidence = event.evidence
    yield "evidence.indicators", evidence.indicators, indicators(evidence.bars)
    yield "evidence_hash", event.evidence_hash, sha256_of(evidence)


def quality_of_quote(event: EvidenceCaptured, _: Log) -> Parts:
    """Yield what the checks of the quote say."""
    quote, limits = event.evidence.quote, event.context.limits
    now = event.market_time - _STAMPED_LATER
    found = _refusal(lambda: check_quote(quote, now, limits.max_quote_age_seconds))
    yield "evidence.quote", _GOOD, found


def quality_of_bars(event: EvidenceCaptured, log: Log) -> Parts:
    """Yield what the checks of the bars say, with the trading days that the clock told."""
    evidence, day = event.evidence, today(event.market_time)
    told = log.first(RunBrokerReady)
    closed = told.closed_days if told else None
    found = _refusal(lambda: check_bars(evidence.bars, evidence.quote, day, closed))
    yield "evidence.bars", _GOOD, found


def _refusal(check: Callable[[], None]) -> str:
    try:
        check()
    except StepFailedError as e:
        return f"{e.code}: {e.reason}"
    return _GOOD
