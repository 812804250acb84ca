"""Acceptance and the bell, computed again."""

from typing import Final

from cli.differences import Parts
from cli.retold.log import Log
from services.api.catalog import Catalog
from services.api.request import Refusal, judge
from services.clock.calendar import UnknownExchangeError, closed_days, expiry, session_at
from shared.events.request import RunRequested
from shared.events.run import RunAccepted, RunMarketOpen

# How many symbols were allowed then, nothing says any more.
_ANY_NUMBER: Final = 1_000_000


def asked(event: RunAccepted, log: Log) -> Parts:
    """Yield what follows from the request, as far as that is in the log: REST leaves none."""
    yield "expires_at", event.expires_at, event.context.deadline
    request = log.at(event.source)
    if not isinstance(request, RunRequested):
        return
    yield "run_id", event.run_id, request.fields.get("run_id")
    strategy, wanted = event.context.strategy, request.fields.get("strategy_id")
    field = "name" if isinstance(wanted, str) else "id"
    yield f"context.strategy.{field}", getattr(strategy, field), wanted
    catalog = Catalog({strategy.id: strategy}, event.context.limits)
    try:
        judged = judge(request.fields, catalog, max_symbols=_ANY_NUMBER)
    except Refusal as refusal:
        yield "request", "accepted", f"{refusal.code}: {refusal.reason}"
        return
    yield "symbols", event.symbols, judged.symbols
    yield "context", event.context, judged.context


def session(event: RunMarketOpen, _: Log) -> Parts:
    """Yield the session and the expiry."""
    yield "exchange", event.exchange, event.context.strategy.exchange
    try:
        trading = session_at(event.exchange, event.market_time)
    except UnknownExchangeError as e:
        yield "exchange", event.exchange, str(e)
        return
    if not trading.is_open:
        yield "market_time", event.market_time, f"the exchange opens at {trading.open.isoformat()}"
    yield "session_open", event.session_open, trading.open
    yield "session_close", event.session_close, trading.close
    if event.closed_days is not None:
        told = closed_days(event.exchange, trading.open.date())
        yield "closed_days", event.closed_days, told
    ends = expiry(event.market_time, trading.close, event.context.deadline)
    yield "expires_at", event.expires_at, ends
