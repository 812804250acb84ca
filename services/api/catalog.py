"""Strategies and limits as files: read at start, refused as a whole where anything is wrong.

The bounds stand here and not in the events: old events must parse whatever bounds are asked later.
"""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import yaml
from pydantic import AfterValidator, Field, ValidationError

from shared.canonical import sha256_of
from shared.envelope import first_problem
from shared.events.base import Fact, Symbol
from shared.events.run import Limits, Strategy

EXCHANGE: Final = "XNYS"
MOST_SYMBOLS: Final = 100
# Money is stored with fourteen digits before the point; a trillion is more than anyone's account.
_Dollars = Annotated[Decimal, Field(gt=0, le=10**12)]
_Percent = Annotated[Decimal, Field(gt=0, le=100)]
# Of a quote; what is older than a day is none.
_Age = Annotated[Decimal, Field(gt=0, le=86_400)]


def _one_bell(exchange: str) -> str:
    if exchange != EXCHANGE:
        msg = f"expected {EXCHANGE}, whose hours NASDAQ keeps too; no other bell is rung yet"
        raise ValueError(msg)
    return exchange


def _some_once_each(symbols: tuple[str, ...]) -> tuple[str, ...]:
    if not 1 <= len(symbols) <= MOST_SYMBOLS:
        msg = f"expected 1 to {MOST_SYMBOLS} symbols, found {len(symbols)}"
        raise ValueError(msg)
    if twins := sorted({s for s in symbols if symbols.count(s) > 1}):
        msg = f"{twins[0]} is named twice; name it once"
        raise ValueError(msg)
    return symbols


def _bare(symbol: str) -> str:
    if symbol != symbol.strip():
        msg = "expected a symbol without spaces around it"
        raise ValueError(msg)
    return symbol


class _StrategyFile(Strategy):
    exchange: Annotated[str, AfterValidator(_one_bell)] = EXCHANGE
    symbols: Annotated[
        tuple[Annotated[Symbol, AfterValidator(_bare)], ...], AfterValidator(_some_once_each)
    ]


class _LimitsFile(Limits):
    max_order_notional: _Dollars
    max_position_notional: _Dollars
    max_gross_exposure: _Dollars
    max_quote_age_seconds: _Age
    max_spread_percent: _Percent
    risk_per_trade_percent: _Percent
    dry_run_cash: _Dollars


M = TypeVar("M", bound=Fact)


class CatalogError(Exception):
    """A file of strategies or limits is not as it must be; the message names file and field."""


@dataclass(frozen=True)
class Catalog:
    """The strategies of this deployment by id, and its limits."""

    strategies: dict[int, Strategy]
    limits: Limits

    def strategy(self, wanted: int | str) -> Strategy | None:
        """Return a strategy by number or name."""
        if isinstance(wanted, int):
            return self.strategies.get(wanted)
        named = [s for s in self.strategies.values() if s.name == wanted]
        return named[0] if named else None


def load_catalog(strategies_dir: Path, limits_file: Path) -> Catalog:
    """Read ``*.yaml`` of a directory and the limits. Raises CatalogError."""
    strategies = [
        Strategy.model_validate(_load(path, _StrategyFile).model_dump())
        for path in sorted(strategies_dir.glob("*.yaml"))
    ]
    if not strategies:
        msg = f"expected at least one strategy in {strategies_dir.resolve()}, found none"
        raise CatalogError(msg)
    for field in ("id", "name"):
        _refuse_twins(field, [getattr(s, field) for s in strategies])
    limits = Limits.model_validate(_load(limits_file, _LimitsFile).model_dump())
    return Catalog({s.id: s for s in strategies}, limits)


def _load(path: Path, model: type[M]) -> M:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as e:
        msg = f"{path}: cannot be read: {e}"
        raise CatalogError(msg) from e
    if not isinstance(content, dict):
        msg = f"{path}: expected fields and values, found {type(content).__name__}"
        raise CatalogError(msg)
    known = model.model_fields
    if unknown := sorted(str(name) for name in content if name not in known):
        msg = f"{path}: unknown field {unknown[0]!r}; known are {', '.join(sorted(known))}"
        raise CatalogError(msg)
    try:
        found = model.model_validate({**content, "version": ""})
        return found.model_copy(update={"version": sha256_of(content)[:12]})
    except ValidationError as e:
        msg = f"{path}: {first_problem(e)}"
        raise CatalogError(msg) from e
    except TypeError as e:
        msg = f"{path}: expected words, numbers and lists of them, found another value: {e}"
        raise CatalogError(msg) from e


def _refuse_twins(field: str, values: list[Any]) -> None:
    twins = sorted({str(v) for v in values if values.count(v) > 1})
    if twins:
        msg = f"two strategies have the same {field}: {twins[0]}"
        raise CatalogError(msg)
