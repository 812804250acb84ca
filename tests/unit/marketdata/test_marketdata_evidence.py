"""Evidence: what goes in decides its hash, and nothing else does."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from services.marketdata.evidence import assemble, captured, fingerprints
from services.marketdata.trading_day import day_before, today
from shared.canonical import sha256_of
from shared.events.evidence import Evidence
from shared.events.run import RunBrokerReady
from shared.failures import StepFailedError
from tests.unit.marketdata.market_facts import (
    NOW,
    a_quote,
    an_instrument,
    bars_of_closes,
    some_bars,
)

AGE = Decimal(15)


def evidence(**quote: object) -> Evidence:
    return assemble(an_instrument(), a_quote(**quote), some_bars(60), now=NOW, longest_age_s=AGE)


def a_run() -> RunBrokerReady:
    limits = {
        "version": "v",
        "max_order_notional": 1,
        "max_position_notional": 1,
        "max_gross_exposure": 1,
        "max_quote_age_seconds": 15,
        "max_spread_percent": 1,
        "min_confidence": 0.7,
        "risk_per_trade_percent": 1,
        "dry_run_cash": 1,
    }
    strategy = {
        "id": 1,
        "name": "x",
        "version": "v",
        "kind": "rules",
        "symbols": ["NVDA"],
        "modes": ["dry_run"],
    }
    return RunBrokerReady.model_validate(
        {
            "occurred_at": NOW,
            "market_time": NOW,
            "run_id": "r1",
            "expires_at": NOW + timedelta(minutes=30),
            "symbols": ["NVDA"],
            "context": {"strategy": strategy, "limits": limits, "mode": "dry_run"},
            "session_close": NOW + timedelta(hours=6),
            "accounts": ["DU1"],
            "paper": True,
        }
    )


def test_evidence_holds_contract_quote_bars_and_what_follows_from_them() -> None:
    found = evidence()
    assert found.contract.tick == Decimal("0.01")
    assert len(found.bars) == 60
    assert found.indicators.sma_50 == Decimal(100)
    assert found.indicators.sma_200 is None


def test_data_that_is_not_good_enough_makes_no_evidence() -> None:
    with pytest.raises(StepFailedError) as caught:
        evidence(at=NOW - timedelta(minutes=1))
    assert caught.value.code == "stale_quote"


def test_the_same_facts_have_the_same_hash_in_whatever_run() -> None:
    stamps = [{"occurred_at": datetime(2026, 1, n, tzinfo=UTC), "market_time": NOW} for n in (1, 2)]
    first, second = (captured(a_run(), "NVDA", evidence(), stamp) for stamp in stamps)
    assert first.evidence_hash == second.evidence_hash == sha256_of(evidence())
    other = captured(a_run(), "NVDA", evidence(bid=Decimal("99.99")), stamps[0])
    assert other.evidence_hash != first.evidence_hash


def test_what_travels_with_the_run_is_copied() -> None:
    run = a_run()
    event = captured(run, "NVDA", evidence(), {"occurred_at": NOW, "market_time": NOW})
    for name in ("run_id", "expires_at", "context", "session_close", "accounts", "paper"):
        assert getattr(event, name) == getattr(run, name)
    assert event.symbol == "NVDA"


def test_a_changed_bar_or_field_is_named_by_its_fingerprint() -> None:
    before = evidence()
    bar = before.bars[3].model_copy(update={"close": Decimal("100.01")})
    after = before.model_copy(
        update={
            "bars": (*before.bars[:3], bar, *before.bars[4:]),
            "quote": before.quote.model_copy(update={"ask": Decimal("100.21")}),
        }
    )
    old, new = fingerprints(before), fingerprints(after)
    assert {name for name in old if old[name] != new[name]} == {f"bars.{bar.date}", "quote.ask"}


def test_a_year_of_bars_fits_well_into_a_message() -> None:
    bars = bars_of_closes([100 + n / 97 for n in range(252)])
    quote = a_quote(prior_close=None)
    found = assemble(an_instrument(), quote, bars, now=NOW, longest_age_s=AGE)
    event = captured(a_run(), "NVDA", found, {"occurred_at": NOW, "market_time": NOW})
    assert len(event.model_dump_json()) < 100_000


def test_the_day_is_that_of_new_york() -> None:
    assert today(datetime(2026, 3, 11, 3, 59, tzinfo=UTC)) == date(2026, 3, 10)
    assert today(datetime(2026, 3, 11, 4, 0, tzinfo=UTC)) == date(2026, 3, 11)
    assert day_before(date(2026, 3, 1)) == date(2026, 2, 28)
