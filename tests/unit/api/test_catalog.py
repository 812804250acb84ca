from pathlib import Path
from typing import Any

import pytest
import yaml

from services.api.catalog import Catalog, CatalogError, load_catalog
from shared.events.run import Limits, Strategy

ROOT = Path(__file__).parents[3]
LIMITS = yaml.safe_load((ROOT / "limits.yaml").read_text())
STRATEGY = {
    "id": 1,
    "name": "a",
    "kind": "rules",
    "symbols": ["TSLA", "NVDA"],
    "modes": ["dry_run"],
}
MONEY = ["max_order_notional", "max_position_notional", "max_gross_exposure", "dry_run_cash"]
PERCENTS = ["max_spread_percent", "risk_per_trade_percent"]


def loaded(
    folder: Path, strategy: dict[str, Any] | None = None, limits: dict[Any, Any] | None = None
) -> Catalog:
    (folder / "a.yaml").write_text(yaml.safe_dump(STRATEGY | (strategy or {})))
    (folder / "limits").write_text(yaml.safe_dump(LIMITS | (limits or {})))
    return load_catalog(folder, folder / "limits")


def refused(folder: Path, **files: dict[Any, Any]) -> str:
    with pytest.raises(CatalogError) as raised:
        loaded(folder, **files)
    return str(raised.value)


def test_what_ships_is_within_its_bounds() -> None:
    catalog = load_catalog(ROOT / "strategies", ROOT / "limits.yaml")

    assert {type(s) for s in catalog.strategies.values()} == {Strategy}
    assert type(catalog.limits) is Limits


@pytest.mark.parametrize("field", [*MONEY, *PERCENTS, "max_quote_age_seconds"])
@pytest.mark.parametrize(
    "value", [0, -1, "-0.01", float("nan"), float("inf"), 10**13, "1e300", True, None, [], "lots"]
)
def test_a_limit_that_is_no_sane_number_is_refused(tmp_path: Path, field: str, value: Any) -> None:
    assert refused(tmp_path, limits={field: value}).startswith(f"{tmp_path / 'limits'}: {field}: ")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_spread_percent", "100.01"),
        ("risk_per_trade_percent", 101),
        ("max_quote_age_seconds", 86_401),
        ("min_confidence", -0.1),
        ("min_confidence", 1.1),
        ("min_confidence", float("nan")),
    ],
)
def test_a_limit_out_of_its_bounds_is_named(tmp_path: Path, field: str, value: Any) -> None:
    assert refused(tmp_path, limits={field: value}).startswith(f"{tmp_path / 'limits'}: {field}: ")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *((field, "0.01") for field in MONEY),
        *((field, 10**12) for field in MONEY),
        *((field, 100) for field in PERCENTS),
        ("min_confidence", 0),
        ("min_confidence", 1),
        ("max_quote_age_seconds", 86_400),
    ],
)
def test_a_limit_at_its_bound_is_taken(tmp_path: Path, field: str, value: Any) -> None:
    assert getattr(loaded(tmp_path, limits={field: value}).limits, field) == type(
        getattr(loaded(tmp_path).limits, field)
    )(value)


def test_events_of_limits_that_are_refused_by_now_still_parse() -> None:
    old = LIMITS | {"version": "1", "max_quote_age_seconds": -1, "dry_run_cash": 0}

    assert Limits.model_validate(old).max_quote_age_seconds == -1


@pytest.mark.parametrize(
    ("symbols", "why"),
    [
        ([], "expected 1 to 100 symbols, found 0"),
        ([f"S{n}" for n in range(101)], "expected 1 to 100 symbols, found 101"),
        (["TSLA", "NVDA", "TSLA"], "TSLA is named twice; name it once"),
        (["TSLA", "TSLA "], "without spaces around it"),
        (["tsla"], "symbols.0"),
        (["\u0422SLA"], "symbols.0"),
        ([True], "symbols.0"),
        ("TSLA", "symbols"),
        (None, "symbols"),
    ],
)
def test_symbols_are_some_valid_ones_each_once(tmp_path: Path, symbols: Any, why: str) -> None:
    found = refused(tmp_path, strategy={"symbols": symbols})

    assert found.startswith(f"{tmp_path / 'a.yaml'}: symbols")
    assert why in found


def test_a_hundred_symbols_are_taken(tmp_path: Path) -> None:
    symbols = [f"S{n}" for n in range(100)]

    assert loaded(tmp_path, {"symbols": symbols}).strategies[1].symbols == tuple(symbols)


@pytest.mark.parametrize("exchange", ["NASDAQ", "XNAS", "XLON", "xnys", ""])
def test_there_is_one_bell(tmp_path: Path, exchange: str) -> None:
    found = refused(tmp_path, strategy={"exchange": exchange})

    assert "exchange: " in found
    assert "expected XNYS, whose hours NASDAQ keeps too" in found
    assert f"found '{exchange}'" in found


def test_the_bell_may_be_named_or_left_out(tmp_path: Path) -> None:
    assert loaded(tmp_path, {"exchange": "XNYS"}).strategies[1].exchange == "XNYS"
    assert loaded(tmp_path).strategies[1].exchange == "XNYS"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("a: [", "cannot be read"),
        (b"\xff", "cannot be read"),
        ("- 1", "expected fields and values, found list"),
        ("1: 2\nb: 3", "unknown field '1'"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    tmp_path: Path, content: str | bytes, why: str
) -> None:
    loaded(tmp_path)
    raw = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "limits").write_bytes(raw)

    with pytest.raises(CatalogError, match=why) as raised:
        load_catalog(tmp_path, tmp_path / "limits")

    assert str(tmp_path / "limits") in str(raised.value)


def test_bytes_are_no_words(tmp_path: Path) -> None:
    found = refused(tmp_path, strategy={"name": b"a"})

    assert "expected words, numbers and lists of them" in found
