"""What differs between a log and its retelling: the first field, and both its values. No I/O."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic_core import to_jsonable_python

from cli.terminal import safe

# A field, what the log says of it, and what it is when computed again.
Parts = Iterator[tuple[str, Any, Any]]

_NOTHING = object()
_AROUND, _LONGEST = 40, 400


@dataclass(frozen=True)
class Difference:
    """The first field in which the log and its retelling are not the same."""

    event: str
    field: str
    recorded: str
    recomputed: str

    @property
    def shown(self) -> dict[str, str]:
        """Return the fields safe for a terminal, each on one line: strangers wrote some."""
        return {
            name: safe(text).replace("\n", "\\n").replace("\t", "\\t")
            for name, text in vars(self).items()
        }

    def __str__(self) -> str:
        return (
            "{event}: {field} differs\n  recorded   {recorded}\n  recomputed {recomputed}"
        ).format(**self.shown)


def differences(label: str, blamed: str, parts: Parts) -> Iterator[Difference]:
    """Yield what differs in these parts of an event.

    What the log says may break any computation in any way: that too is a difference, of the field
    ``blamed``, and ends the parts.
    """
    try:
        for field, recorded, recomputed in parts:
            pair = to_jsonable_python(recorded), to_jsonable_python(recomputed)
            found = first_difference(*pair, field)
            if found is not None:
                yield Difference(label, *found)
    except Exception as e:  # noqa: BLE001  # see above
        why = f"{type(e).__name__}: {e}"[:_LONGEST]
        yield Difference(label, blamed, "cannot be computed again", why)


def first_difference(recorded: Any, recomputed: Any, path: str) -> tuple[str, str, str] | None:
    """Return path, recorded and recomputed value of the first difference of two JSON values."""
    if isinstance(recorded, Mapping) and isinstance(recomputed, Mapping):
        names = (*recorded, *(n for n in recomputed if n not in recorded))
        pairs: Iterable[tuple[str, Any, Any]] = (
            (f"{path}.{n}", recorded.get(n, _NOTHING), recomputed.get(n, _NOTHING)) for n in names
        )
    elif isinstance(recorded, list) and isinstance(recomputed, list):
        longer = range(max(len(recorded), len(recomputed)))
        pairs = ((f"{path}[{i}]", _at(recorded, i), _at(recomputed, i)) for i in longer)
    elif _same(recorded, recomputed):
        return None
    else:
        return path, _words(recorded, recomputed), _words(recomputed, recorded)
    found = (first_difference(a, b, where) for where, a, b in pairs)
    return next((difference for difference in found if difference is not None), None)


def _at(values: list[Any], place: int) -> Any:
    return values[place] if place < len(values) else _NOTHING


def _same(one: Any, other: Any) -> bool:
    # To Python, true is 1.
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _words(value: Any, other: Any) -> str:
    """Return a value; of two long texts, the words around the place where they part."""
    if value is _NOTHING:
        return "nothing"
    if not (isinstance(value, str) and isinstance(other, str)):
        text = json.dumps(value, ensure_ascii=False)
        return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    pairs = zip(value, other, strict=False)
    apart = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(value), len(other)))
    start = max(0, apart - _AROUND)
    return json.dumps(value[start : apart + _AROUND], ensure_ascii=False)
