"""One symbol, exactly one US stock."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ibkr.contracts import Candidate, Increment, resolve, tick, verify
from shared.ibkr.errors import (
    AmbiguousContractError,
    BadAnswerError,
    BrokerError,
    UnknownSymbolError,
)

NVDA = Candidate(conid=4815747, exchange="NASDAQ", company="NVIDIA CORP")
STOCKS = {
    "NVDA": [
        {
            "name": "NVIDIA CORP-CDR",
            "assetClass": "STK",
            "contracts": [{"conid": 541229759, "exchange": "TSE", "isUS": False}],
        },
        {
            "name": "NVIDIA CORP",
            "assetClass": "STK",
            "contracts": [
                {"conid": 999, "exchange": "MEXI", "isUS": False},
                {"conid": 4815747, "exchange": "NASDAQ", "isUS": True},
            ],
        },
    ]
}
RULES = [{"lowerEdge": 0.0, "increment": 0.0001}, {"lowerEdge": 1.0, "increment": 0.01}]
ROW = {"conid": 4815747, "ticker": "NVDA", "currency": "USD", "assetClass": "STK"}
SECDEF = {"secdef": [{"conid": 999}, {**ROW, "incrementRules": RULES}]}


def test_the_us_listing_is_taken_wherever_it_stands() -> None:
    assert resolve("NVDA", STOCKS) == NVDA


@pytest.mark.parametrize("answer", [{}, {"NVDA": []}, {"TSLA": STOCKS["NVDA"]}])
def test_a_symbol_without_a_us_stock_is_unknown(answer: Any) -> None:
    with pytest.raises(UnknownSymbolError, match="NVDA"):
        resolve("NVDA", answer)


def test_two_us_stocks_are_listed_and_none_is_taken() -> None:
    other = {"conid": 7, "exchange": "NYSE", "isUS": True}
    twice = [*STOCKS["NVDA"], {"name": "OTHER", "assetClass": "STK", "contracts": [other]}]
    with pytest.raises(AmbiguousContractError, match=r"4815747 NVIDIA CORP .*7 OTHER"):
        resolve("NVDA", {"NVDA": twice})


def test_what_is_no_stock_does_not_count() -> None:
    bond = {"name": "B", "assetClass": "BOND", "contracts": [{"conid": 7, "isUS": True}]}
    with pytest.raises(UnknownSymbolError):
        resolve("NVDA", {"NVDA": [bond]})


def test_a_verified_contract_has_the_tick_of_its_price() -> None:
    instrument = verify("NVDA", NVDA, SECDEF)
    assert instrument.at(Decimal("225.5")).tick == Decimal("0.01")
    assert instrument.at(Decimal("0.5")).tick == Decimal("0.0001")
    assert instrument.at(Decimal(1)).tick == Decimal("0.01")


@pytest.mark.parametrize(
    "change", [{"ticker": "TSLA"}, {"currency": "CAD"}, {"conid": 1}, {"assetClass": "OPT"}]
)
def test_a_contract_that_is_told_differently_elsewhere_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadAnswerError, match="expected"):
        verify("NVDA", NVDA, {"secdef": [{**ROW, "incrementRules": RULES} | change]})


@pytest.mark.parametrize(
    "rules", [None, [], [{"lowerEdge": 0}], [{"lowerEdge": 0, "increment": 0}]]
)
def test_a_contract_without_increments_is_refused(rules: Any) -> None:
    secdef = {"secdef": [{**ROW, "incrementRules": rules}]}
    with pytest.raises(BadAnswerError, match="increments"):
        verify("NVDA", NVDA, secdef)


def test_a_price_below_every_edge_has_no_tick() -> None:
    with pytest.raises(BadAnswerError, match="increment at"):
        tick((Increment(lower_edge=Decimal(1), step=Decimal("0.01")),), Decimal("0.5"))


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["NVDA", "contracts", "secdef", "conid", "isUS", "incrementRules"]),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(ANY_JSON)
def test_no_answer_breaks_the_reading_of_it(answer: Any) -> None:
    for read in (lambda: resolve("NVDA", answer), lambda: verify("NVDA", NVDA, answer)):
        try:
            read()
        except BrokerError:
            continue
