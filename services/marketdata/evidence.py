"""Evidence put together, and the event that carries it. Pure."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from services.marketdata.indicators import indicators
from services.marketdata.quality import check_quote
from shared.canonical import plain, sha256_of
from shared.events.evidence import Bar, Evidence, EvidenceCaptured, Quote
from shared.events.run import RunBrokerReady
from shared.ibkr.contracts import Instrument

_SHORT = 12


def assemble(
    instrument: Instrument,
    quote: Quote,
    bars: Sequence[Bar],
    *,
    now: datetime,
    longest_age_s: Decimal,
) -> Evidence:
    """Return what a decision may rest on. ``now`` is market time; the bars were judged before.

    Raises StepFailedError where the quote is not good enough (``quality``).
    """
    check_quote(quote, now, longest_age_s)
    return Evidence(
        contract=instrument.at(quote.last),
        quote=quote,
        bars=tuple(bars),
        indicators=indicators(bars),
    )


def captured(
    run: RunBrokerReady, symbol: str, evidence: Evidence, stamp: dict[str, Any]
) -> EvidenceCaptured:
    """Return the event: the evidence with its hash, and what travels with the run."""
    return EvidenceCaptured(
        **stamp,
        run_id=run.run_id,
        symbol=symbol,
        expires_at=run.expires_at,
        context=run.context,
        session_close=run.session_close,
        accounts=run.accounts,
        paper=run.paper,
        evidence=evidence,
        evidence_hash=sha256_of(evidence),
        fingerprints=fingerprints(evidence),
    )


def fingerprints(evidence: Evidence) -> dict[str, str]:
    """Return a short hash of each field of contract and quote, and of each bar by its date.

    The indicators have none: they follow from the bars.
    """
    facts = (("contract", plain(evidence.contract)), ("quote", plain(evidence.quote)))
    fields = {f"{part}.{n}": str(v) for part, values in facts for n, v in values.items()}
    bars = {f"bars.{bar.date}": bar.model_dump_json() for bar in evidence.bars}
    return {name: _short_hash(text) for name, text in (fields | bars).items()}


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_SHORT]
