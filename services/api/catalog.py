"""Strategies and limits as files: read at start, refused as a whole where anything is wrong."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from shared.canonical import sha256_of
from shared.envelope import first_problem
from shared.events.run import Limits, Strategy


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
        _load(path, Strategy, known=Strategy.model_fields)
        for path in sorted(strategies_dir.glob("*.yaml"))
    ]
    if not strategies:
        msg = f"expected at least one strategy in {strategies_dir.resolve()}, found none"
        raise CatalogError(msg)
    for field in ("id", "name"):
        _refuse_twins(field, [getattr(s, field) for s in strategies])
    limits = _load(limits_file, Limits, known=Limits.model_fields)
    return Catalog({s.id: s for s in strategies}, limits)


def _load(path: Path, model: Any, known: Iterable[str]) -> Any:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as e:
        msg = f"{path}: cannot be read: {e}"
        raise CatalogError(msg) from e
    if not isinstance(content, dict):
        msg = f"{path}: expected fields and values, found {type(content).__name__}"
        raise CatalogError(msg)
    if unknown := sorted(set(content) - set(known)):
        msg = f"{path}: unknown field {unknown[0]!r}; known are {', '.join(sorted(known))}"
        raise CatalogError(msg)
    try:
        return model.model_validate({**content, "version": sha256_of(content)[:12]})
    except ValidationError as e:
        msg = f"{path}: {first_problem(e)}"
        raise CatalogError(msg) from e


def _refuse_twins(field: str, values: list[Any]) -> None:
    twins = sorted({str(v) for v in values if values.count(v) > 1})
    if twins:
        msg = f"two strategies have the same {field}: {twins[0]}"
        raise CatalogError(msg)
