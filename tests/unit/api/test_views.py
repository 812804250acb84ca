"""What REST shows of an event that anybody may have written."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from services.api.views import ledger_event


def a_row(body: str) -> dict[str, Any]:
    texts = dict.fromkeys(("type", "source", "topic", "previous_hash", "hash"), "x")
    places = {"id": 1, "partition": 0, "offset": 0, "timestamp": datetime.now(UTC)}
    known: dict[str, Any] = {"event_id": uuid.uuid4(), "symbol": None, "headers": {}, "key": None}
    return texts | places | known | {"body": body}


@pytest.mark.parametrize("body", ["garbage", "", "[" * 5_000, "[" * 5_000 + "]" * 5_000])
def test_what_is_no_json_that_can_be_shown_is_shown_as_text(body: str) -> None:
    shown = ledger_event(a_row(body))

    assert (shown.body, shown.raw) == (body, body)
    assert shown.model_dump_json()


def test_json_is_shown_as_json() -> None:
    assert ledger_event(a_row('{"reasons": ["[[{"]}')).body == {"reasons": ["[[{"]}
