"""Evidence is held to the checks of quality again, its hashes notwithstanding."""

from typing import Any

import pytest

from cli.rows import Row
from cli.verify import compare
from services.marketdata import quality
from services.marketdata.evidence import fingerprints
from services.marketdata.indicators import indicators
from shared.canonical import sha256_of
from shared.events.evidence import Evidence
from tests.unit.cli.recorded_run import Edit, changed
from tests.unit.cli.verifying import difference, recorded


def remade(body: dict[str, Any], **evidence: Any) -> None:
    """Change evidence, and its hashes with it."""
    other = Evidence.model_validate(body["evidence"] | evidence)
    whole = other.model_copy(update={"indicators": indicators(other.bars)})
    body["evidence"] = whole.model_dump(mode="json")
    body["evidence_hash"] = sha256_of(whole)
    body["fingerprints"] = fingerprints(whole)


def without(body: dict[str, Any], place: int) -> list[Any]:
    bars: list[Any] = body["evidence"]["bars"]
    return bars[:place] + bars[place + 1 :]


def quoted(**fields: Any) -> Edit:
    return lambda body: remade(body, quote=body["evidence"]["quote"] | fields)


@pytest.mark.parametrize(
    ("edit", "field", "code"),
    [
        (quoted(availability="DpB"), "evidence.quote", "not_realtime"),
        (quoted(at="2023-06-01T13:59:43Z"), "evidence.quote", "stale_quote"),
        (quoted(bid="500"), "evidence.quote", "crossed_quote"),
        (quoted(prior_close="1"), "evidence.quote", "implausible_quote"),
        (quoted(prior_close="80"), "evidence.bars", "bad_bars"),
        (lambda b: remade(b, bars=b["evidence"]["bars"][-59:]), "evidence.bars", "too_few_bars"),
        (lambda b: remade(b, bars=b["evidence"]["bars"][::-1]), "evidence.bars", "bad_bars"),
        (lambda b: remade(b, bars=without(b, 100)), "evidence.bars", "bad_bars"),
    ],
)
def test_evidence_that_was_not_good_enough_is_named(edit: Edit, field: str, code: str) -> None:
    rows = changed(recorded(), "evidence.captured", edit)

    found = compare([Row.model_validate(row) for row in rows]).difference

    assert found is not None
    assert found.field == field
    assert code in found.recomputed


def test_a_quote_may_grow_a_moment_older_between_its_check_and_the_event() -> None:
    rows = changed(recorded(), "evidence.captured", quoted(at="2023-06-01T13:59:44.500Z"))

    assert difference(rows)[1] != "evidence.quote"


def test_a_run_of_before_the_clock_told_the_trading_days_is_identical() -> None:
    rows = recorded()
    for topic in ("run.market-open", "run.broker-ready"):
        rows = changed(rows, topic, lambda body: body.pop("closed_days"))

    assert difference(rows) == ("", "")


def test_other_rules_for_bars_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quality, "FEWEST_BARS", 5_000)

    assert difference(recorded()) == ("evidence.captured TSLA", "evidence.bars")


def test_evidence_of_another_instrument_is_named() -> None:
    def of_another(body: dict[str, Any]) -> None:
        remade(body, contract=body["evidence"]["contract"] | {"symbol": "GOOGL"})

    rows = changed(recorded(), "evidence.captured", of_another)

    assert difference(rows) == ("evidence.captured TSLA", "evidence.contract.symbol")
