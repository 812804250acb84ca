"""The step ``evidence``: per symbol, all that a decision may be based on, captured once."""

from services.marketdata.capture import Capture
from services.marketdata.evidence import assemble, captured
from services.marketdata.quality import is_fresh
from shared.envelope import Cause
from shared.events.run import RunBrokerReady
from shared.stage import Results, Stage
from shared.topics import RUN_BROKER_READY

STEP = "evidence"


def register(stage: Stage, capture: Capture) -> None:
    """Subscribe the step; the symbols of a run are worked on side by side."""

    @stage.on(RUN_BROKER_READY, step=STEP, each=lambda run: run.symbols)
    async def capture_evidence(cause: Cause[RunBrokerReady], symbol: str) -> Results:
        run = cause.event
        longest_age_s = run.context.limits.max_quote_age_seconds
        instrument, quote, bars = await capture.of(
            symbol,
            run.closed_days,
            enough=lambda quote: is_fresh(quote, stage.clock.now(), longest_age_s),
            expires_at=run.expires_at,
        )
        evidence = assemble(
            instrument, quote, bars, now=stage.clock.now(), longest_age_s=longest_age_s
        )
        return [captured(run, symbol, evidence, stage.stamp())]
