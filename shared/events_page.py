"""``docs/events.md``, made from the topics and the event models.

``python -m shared.events_page > docs/events.md``; a test compares.
"""

import sys
import types
import typing
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from pydantic import AwareDatetime, BaseModel
from pydantic.fields import FieldInfo

from shared.events.request import RunRequested
from shared.topics import ALL, Topic

_INTRO = """\
# Topics and events

Made by `python -m shared.events_page` from `shared/topics.py` and `shared/events/`; tests compare.

A body is plain JSON: money, prices and quantities are decimal numbers as strings, times ISO 8601 in
UTC. Metadata are headers: CloudEvents 1.0 in binary mode (`ce_specversion`, `ce_id`, `ce_type`,
`ce_source`, `ce_time`), `content-type`, and W3C `traceparent`. The same fact has the same `ce_id`,
whoever publishes it and how often: readers ignore ids that they know. Events only gain optional
fields; readers ignore fields that they do not know.

Topics of facts keep 30 days, those of state are compacted and keep the newest entry per key.
"""
_REQUEST = """\
`{"strategy_id": 1, "symbols": ["TSLA", "NVDA"], "dry_run": true}` is a whole request, without key
or headers. Its fields are in [quickstart.md](quickstart.md).
"""
_SIMPLE = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "true or false",
    Decimal: "decimal",
    datetime: "time",
    AwareDatetime: "time",
    date: "date",
    UUID: "UUID",
    type(None): "null",
    Any: "any",
}


def page() -> str:
    """Return the whole page."""
    parts = [_INTRO, *_topics(), "\n## Parts of events\n", *map(_table, _parts())]
    return "\n".join(parts)


def _topics() -> Iterator[str]:
    yield "| topic | key | partitions | what |\n|---|---|---|---|"
    for topic in ALL:
        name = f"[`{topic.name}`](#{_anchor(topic.name)})" + (", state" if topic.state else "")
        cells = (name, topic.key, str(topic.partitions), _first_line(topic.event))
        yield f"| {' | '.join(cells)} |"
    for topic in ALL:
        yield f"\n## {topic.name}\n\n{_contract(topic)}"


def _contract(topic: Topic[Any]) -> str:
    rest = _REQUEST if topic.event is RunRequested else _fields(topic.event)
    return f"{_said_of(topic.event)}\n\n{rest}"


def _table(model: type[BaseModel]) -> str:
    return f"### {model.__name__}\n\n{_said_of(model)}\n\n{_fields(model)}"


def _said_of(model: type[BaseModel]) -> str:
    return _plain(" ".join((model.__doc__ or "").split()))


def _fields(model: type[BaseModel]) -> str:
    rows = [
        f"| `{name}` | {_kind(field.annotation)}{_optional(field)} |"
        for name, field in model.model_fields.items()
    ]
    return "\n".join(["| field | |\n|---|---|", *rows, ""])


def _optional(field: FieldInfo) -> str:
    return "" if field.is_required() else ", may be absent"


def _kind(kind: Any) -> str:
    """Return a type as a reader of JSON calls it."""
    if kind in _SIMPLE:
        return _SIMPLE[kind]
    inner = typing.get_args(kind)
    if inner:
        return _compound(typing.get_origin(kind), inner)
    if issubclass(kind, Enum):
        return ", ".join(f"`{member.value}`" for member in kind)
    return f"[{kind.__name__}](#{kind.__name__.lower()})"


def _compound(origin: Any, inner: tuple[Any, ...]) -> str:
    if origin in (typing.Union, types.UnionType):
        return " or ".join(map(_kind, inner))
    if origin is typing.Literal:
        return ", ".join(f"`{value}`" for value in inner)
    if origin is dict:
        return f"object of {_kind(inner[1])}"
    if origin is tuple:
        return "list of " + ", ".join(_kind(each) for each in inner if each is not Ellipsis)
    return _kind(inner[0])  # annotated


def _parts() -> list[type[BaseModel]]:
    """Return the models inside the events, by name."""
    events = {topic.event for topic in ALL} - {RunRequested}
    found: set[type[BaseModel]] = set()
    for event in events:
        found |= set(_models_in(event))
    return sorted(found - events, key=lambda model: model.__name__)


def _models_in(kind: Any) -> Iterator[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
        for field in kind.model_fields.values():
            yield from _models_in(field.annotation)
    for inner in typing.get_args(kind):
        yield from _models_in(inner)


def _first_line(model: type[BaseModel]) -> str:
    return _plain((model.__doc__ or "").split(". ")[0].split("\n")[0].rstrip("."))


def _plain(text: str) -> str:
    return text.replace("``", "`").replace("|", "\\|")


def _anchor(title: str) -> str:
    return title.replace(".", "")


if __name__ == "__main__":
    sys.stdout.write(page())
