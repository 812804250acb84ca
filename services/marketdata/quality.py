"""What market data must be before a decision may rest on it. Pure; there is no second best."""

import itertools
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from shared.events.evidence import Bar, Quote
from shared.failures import StepFailedError
from shared.ibkr.history import inconsistency
from shared.trading_days import HORIZON, trading_days

FEWEST_BARS = 60
# All that can be asked where nobody told the trading days.
_LONGEST_GAP = timedelta(days=7)
# A halving or doubling since yesterday is more often a split or a mistake than a market.
_MOST_TIMES_PRIOR_CLOSE = 2
# Official close and last regular trade differ a little.
_SAME_CLOSE = Decimal("0.02")


def check_quote(quote: Quote, now: datetime, longest_age_s: Decimal) -> None:
    """Refuse a quote that is not of this market, now.

    ``now`` is market time. Raises StepFailedError: not_realtime, stale_quote, crossed_quote or
    implausible_quote.
    """
    if not quote.availability.startswith("R"):
        found = f"expected real-time data (R...), the broker says {quote.availability!r}"
        raise StepFailedError("not_realtime", f"{found}: subscribe to the exchange's data")
    if not is_fresh(quote, now, longest_age_s):
        age = (now - quote.at).total_seconds()
        reason = f"the quote is {age:.1f} s old, expected at most {longest_age_s} s"
        raise StepFailedError("stale_quote", reason)
    if quote.bid > quote.ask:
        reason = f"bid {quote.bid} is above ask {quote.ask}"
        raise StepFailedError("crossed_quote", reason)
    close, most = quote.prior_close, _MOST_TIMES_PRIOR_CLOSE
    if close is not None and not close / most <= quote.last <= close * most:
        reason = f"last {quote.last} is more than {most} times off the prior close {close}"
        raise StepFailedError("implausible_quote", reason)


def is_fresh(quote: Quote, now: datetime, longest_age_s: Decimal) -> bool:
    """Say whether a quote is of the last ``longest_age_s`` seconds of market time."""
    return Decimal(str((now - quote.at).total_seconds())) <= longest_age_s


def check_bars(
    bars: Sequence[Bar], quote: Quote, today: date, closed: Collection[date] | None
) -> None:
    """Refuse bars that are too few, contradict themselves, or are not of this quote's instrument.

    There must be one for each trading day from the first bar to the one before ``today`` (the day
    of the exchange). ``closed``: the weekdays without trading; None in events of before they were
    told. Raises StepFailedError: no_bars, too_few_bars or bad_bars.
    """
    if not bars:
        raise StepFailedError("no_bars", "the broker has no finished trading day")
    if len(bars) < FEWEST_BARS:
        reason = f"expected at least {FEWEST_BARS} finished trading days, found {len(bars)}"
        raise StepFailedError("too_few_bars", reason)
    for bar in bars:
        if (why := inconsistency(bar)) is not None:
            raise StepFailedError("bad_bars", why)
    _check_days([bar.date for bar in bars], today, closed)
    if not belong_together(bars, quote):
        reason = f"the newest bar closes at {bars[-1].close}, the quote says {quote.prior_close}"
        raise StepFailedError("bad_bars", reason)


def _check_days(days: Sequence[date], today: date, closed: Collection[date] | None) -> None:
    for earlier, later in itertools.pairwise([*days, today]):
        if not earlier < later:
            reason = f"expected trading days in order, found {later} after {earlier}"
            raise StepFailedError("bad_bars", reason)
        if closed is None and later - earlier > _LONGEST_GAP:
            reason = f"expected trading days without gaps, found {later} after {earlier}"
            raise StepFailedError("bad_bars", reason)
    if closed is None:
        return
    first = max(days[0], today - HORIZON)
    expected = trading_days(first, today - timedelta(days=1), closed)
    differing = sorted(set(expected) ^ {day for day in days if day >= first})
    if differing:
        kind = "a bar of every trading day" if differing[0] in expected else "trading days alone"
        reason = (
            f"expected {kind}, found {'none of' if differing[0] in expected else 'one of'} "
            f"{differing[0]}: ask again later; if the calendar is wrong, update exchange_calendars"
        )
        raise StepFailedError("bad_bars", reason)


def belong_together(bars: Sequence[Bar], quote: Quote) -> bool:
    """Say whether the newest bar closes where the quote's prior close is, as far as both say."""
    if not bars or quote.prior_close is None:
        return True
    return abs(bars[-1].close - quote.prior_close) <= _SAME_CLOSE * bars[-1].close
