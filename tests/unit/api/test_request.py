from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.api.catalog import Catalog, CatalogError, load_catalog
from services.api.request import Judged, Refusal, judge
from shared.events.base import Mode

ROOT = Path(__file__).parents[3]
CATALOG = load_catalog(ROOT / "strategies", ROOT / "limits.yaml")


def judged(fields: dict[str, Any]) -> Judged:
    return judge(fields, CATALOG, max_symbols=100)


def refusal(fields: dict[str, Any]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        judged(fields)
    return caught.value


def test_the_public_example_works_as_it_stands() -> None:
    run = judged({"strategy_id": 1, "symbols": ["TSLA", "NVDA"], "dry_run": True})

    assert run.symbols == ("TSLA", "NVDA")
    assert run.context.mode is Mode.DRY_RUN
    assert run.context.strategy.name == "momentum-llm"


def test_a_strategy_may_be_named() -> None:
    assert judged({"strategy_id": "rules-only"}).context.strategy.id == 2


def test_without_symbols_the_strategy_s_are_meant() -> None:
    assert judged({"strategy_id": 2}).symbols == ("TSLA", "NVDA")


def test_the_symbols_asked_for_are_the_ones_traded() -> None:
    assert judged({"strategy_id": 1, "symbols": ["aapl"]}).symbols == ("AAPL",)


@pytest.mark.parametrize(
    ("asked", "mode"),
    [
        ({}, Mode.DRY_RUN),
        ({"dry_run": True}, Mode.DRY_RUN),
        ({"dry_run": False}, Mode.PAPER),
        ({"mode": "paper"}, Mode.PAPER),
        ({"mode": "live"}, Mode.LIVE),
        ({"dry_run": False, "mode": "live"}, Mode.LIVE),
        ({"dry_run": True, "mode": "dry_run"}, Mode.DRY_RUN),
    ],
)
def test_nobody_leaves_the_dry_run_by_accident(asked: dict[str, Any], mode: Mode) -> None:
    assert judged({"strategy_id": 1, **asked}).context.mode is mode


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "invalid_field"),
        ({"strategy_id": None}, "invalid_field"),
        ({"strategy_id": True}, "invalid_field"),
        ({"strategy_id": 1.0}, "invalid_field"),
        ({"strategy_id": 99}, "unknown_strategy"),
        ({"strategy_id": "{{ params.strategy }}"}, "unknown_strategy"),
        ({"strategy_id": 1, "symbol": "TSLA"}, "unknown_field"),
        ({"strategy_id": 1, "symbols": "TSLA"}, "invalid_field"),
        ({"strategy_id": 1, "symbols": []}, "no_symbols"),
        ({"strategy_id": 1, "symbols": [None]}, "invalid_field"),
        ({"strategy_id": 1, "symbols": [""]}, "invalid_symbol"),
        ({"strategy_id": 1, "symbols": ["TSLA;DROP"]}, "invalid_symbol"),
        ({"strategy_id": 1, "symbols": ["TSLA", "tsla "]}, "duplicate_symbols"),
        ({"strategy_id": 1, "symbols": [f"S{n}" for n in range(10_000)]}, "too_many_symbols"),
        ({"strategy_id": 1, "dry_run": "true"}, "invalid_field"),
        ({"strategy_id": 1, "dry_run": "{{ dry_run }}"}, "invalid_field"),
        ({"strategy_id": 1, "dry_run": True, "mode": "live"}, "conflicting_mode"),
        ({"strategy_id": 1, "dry_run": False, "mode": "dry_run"}, "conflicting_mode"),
        ({"strategy_id": 1, "mode": "LIVE"}, "invalid_field"),
        ({"strategy_id": 1, "run_id": "a b"}, "invalid_field"),
        ({"strategy_id": 1, "run_id": "x" * 65}, "invalid_field"),
        ({"strategy_id": 1, "deadline": "2023-05-25T10:00:00"}, "invalid_field"),
        ({"strategy_id": 1, "note": "x" * 501}, "invalid_field"),
    ],
)
def test_bad_input_is_refused_with_a_reason(fields: dict[str, Any], code: str) -> None:
    found = refusal(fields)

    assert found.code == code
    assert found.reason


def test_a_repeat_is_known_however_it_is_written() -> None:
    one = judged({"strategy_id": 1, "symbols": ["TSLA", "NVDA"], "dry_run": True})
    same = judged({"mode": "dry_run", "symbols": ["tsla", "nvda"], "strategy_id": 1})
    other = judged({"strategy_id": 1, "symbols": ["NVDA", "TSLA"], "dry_run": True})

    assert one.request_hash == same.request_hash
    assert one.request_hash != other.request_hash


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["strategy_id", "symbols", "dry_run", "mode", "run_id", "account", "deadline", "note"]
        ),
        _JSON,
    )
)
def test_whatever_comes_is_judged_or_refused_never_an_error(fields: dict[str, Any]) -> None:
    try:
        assert judged(fields).symbols
    except Refusal as e:
        assert e.code
        assert e.reason


def test_a_catalog_names_file_and_field_of_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("id: 1\nname: a\nkind: rules\nsymbols: [TSLA]\nmodez: []\n")

    with pytest.raises(CatalogError, match=r"a\.yaml: unknown field 'modez'"):
        load_catalog(tmp_path, ROOT / "limits.yaml")


def test_two_strategies_of_one_number_are_refused(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.yaml").write_text(
            f"id: 1\nname: {name}\nkind: rules\nsymbols: [TSLA]\nmodes: [dry_run]\n"
        )

    with pytest.raises(CatalogError, match="same id: 1"):
        load_catalog(tmp_path, ROOT / "limits.yaml")


def test_a_strategy_is_known_by_its_content() -> None:
    assert isinstance(CATALOG, Catalog)
    assert len({s.version for s in CATALOG.strategies.values()}) == 2


@pytest.mark.parametrize("symbol", ["\u00df", "\ufb01", "t\u017fla", "\uff34SLA"])
def test_letters_of_other_scripts_do_not_turn_into_a_ticker(symbol: str) -> None:
    assert refusal({"strategy_id": 1, "symbols": [symbol]}).code == "invalid_symbol"


def test_lower_case_is_taken() -> None:
    assert judged({"strategy_id": 1, "symbols": [" tsla "]}).symbols == ("TSLA",)


@pytest.mark.parametrize("deadline", [5, "5", 1_700_000_000_000, "1700000000.5", True, [], "soon"])
def test_a_deadline_is_a_time_written_out(deadline: object) -> None:
    assert refusal({"strategy_id": 1, "deadline": deadline}).code == "invalid_field"


def test_a_deadline_with_an_offset_is_taken() -> None:
    run = judged({"strategy_id": 1, "deadline": "2026-11-25T15:30:00-05:00"})

    assert run.context.deadline is not None
    assert run.context.deadline.isoformat() == "2026-11-25T20:30:00+00:00"
