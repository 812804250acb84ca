"""The figures of a run and of a symbol, as MLflow's metrics. Pure.

Names are ``group/figure``, by which MLflow's pages group their charts.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from services.tracker.history import History
from shared.events.base import Check, Event
from shared.events.evidence import Indicators, Quote
from shared.events.order import OrderChanged
from shared.events.run import RunBrokerReady, RunMarketOpen
from shared.events.signal import ModelCall, SignalChecked
from shared.story import SymbolStory

Figures = Mapping[str, float]
_Found = dict[str, Decimal | float | None]


def of_run(history: History) -> Figures:
    """Return tokens, outcomes and how long the steps of the whole run took."""
    symbols = [history.symbol(symbol) for symbol in history.symbols]
    calls = [s.signal.call for s in symbols if s.signal and s.signal.call]
    finished = history.finished
    outcomes = Counter(end.outcome.value for end in finished.symbols) if finished else {}
    closed = [at for s in symbols if (at := _closed_at(history, s)) is not None]
    accepted = _at(history, history.accepted)
    opened = _at(history, history.first(RunMarketOpen))
    ready = _at(history, history.first(RunBrokerReady))
    ended = _at(history, finished)
    return _known(
        {f"outcome/{name}": count for name, count in outcomes.items()}
        | {
            "tokens/prompt": sum(call.prompt_tokens for call in calls) if calls else None,
            "tokens/completion": sum(call.completion_tokens for call in calls) if calls else None,
            "latency_s/market_open": _seconds(accepted, opened),
            "latency_s/broker_ready": _seconds(opened, ready),
            "latency_s/finish": _seconds(max(closed, default=None), ended),
            "latency_s/total": _seconds(accepted, ended),
        }
    )


def of_symbol(history: History, symbol: SymbolStory) -> Figures:
    """Return quote, indicators, confidence, tokens, levels and how long each step took."""
    ready = _at(history, history.first(RunBrokerReady))
    captured, checked = _at(history, symbol.evidence), _at(history, symbol.signal)
    found: _Found = {
        "latency_s/evidence": _seconds(ready, captured),
        "latency_s/signal": _seconds(captured, checked),
        "latency_s/order": _seconds(checked, _at(history, symbol.closing)),
    }
    if symbol.evidence is not None:
        evidence = symbol.evidence.evidence
        found |= _quote(evidence.quote) | _indicators(evidence.indicators)
        found |= {"evidence/bars": len(evidence.bars)}
    if symbol.signal is not None:
        found |= _signal(symbol.signal)
    if symbol.orders:
        found |= _order(symbol.orders)
    if symbol.failure is not None:
        found |= {"failure/attempts": symbol.failure.attempts}
    return _known(found)


def _quote(quote: Quote) -> _Found:
    middle = (quote.bid + quote.ask) / 2
    return {
        "quote/last": quote.last,
        "quote/bid": quote.bid,
        "quote/ask": quote.ask,
        "quote/prior_close": quote.prior_close,
        "quote/volume": quote.volume,
        "quote/spread_percent": (quote.ask - quote.bid) / middle * 100,
    }


def _indicators(indicators: Indicators) -> _Found:
    return {f"indicator/{name}": value for name, value in indicators}


def _signal(signal: SignalChecked) -> _Found:
    found: _Found = {"signal/confidence": signal.confidence}
    if signal.proposal is not None:
        found["signal/stop_loss"] = signal.proposal.stop_loss
        found["signal/take_profit"] = signal.proposal.take_profit
    return found | _checks("signal", signal.checks) | (_call(signal.call) if signal.call else {})


def _call(call: ModelCall) -> _Found:
    return {
        "tokens/prompt": call.prompt_tokens,
        "tokens/completion": call.completion_tokens,
        "latency_s/model": call.latency_ms / 1000,
        "model/attempts": call.attempts,
    }


def _order(orders: tuple[OrderChanged, ...]) -> _Found:
    newest = max(orders, key=lambda order: order.seq)
    found = _checks("order", newest.checks)
    if newest.order is not None:
        found["order/quantity"] = newest.order.quantity
        found["order/limit_price"] = newest.order.limit_price
    if newest.fill is not None:
        found["fill/quantity"] = newest.fill.quantity
        found["fill/price"] = newest.fill.price
    return found


def _checks(step: str, checks: Iterable[Check]) -> _Found:
    counted = Counter(check.passed for check in checks)
    return {f"{step}/checks_passed": counted[True], f"{step}/checks_failed": counted[False]}


def _closed_at(history: History, symbol: SymbolStory) -> datetime | None:
    return _at(history, symbol.closing or symbol.failure)


def _at(history: History, event: Event | None) -> datetime | None:
    return None if event is None else history.at(event)


def _seconds(since: datetime | None, until: datetime | None) -> float | None:
    return None if since is None or until is None else (until - since).total_seconds()


def _known(found: _Found) -> Figures:
    """Return what is a number: MLflow's pages cannot show others."""
    numbers = {name: float(value) for name, value in found.items() if value is not None}
    return {name: number for name, number in numbers.items() if math.isfinite(number)}
