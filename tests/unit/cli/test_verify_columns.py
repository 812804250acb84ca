"""What stands beside the events in a row follows from the record, or is under the chain."""

from pathlib import Path

import pytest

from tests.unit.cli.recorded_run import chained
from tests.unit.cli.verifying import copied, found_in


@pytest.mark.parametrize("place", range(11))
@pytest.mark.parametrize(
    ("column", "value"),
    [("type", "run.waiting"), ("symbol", "AAPL"), ("source", "openbell/another")],
)
def test_a_column_that_the_chain_does_not_cover_follows_from_the_record(
    tmp_path: Path, place: int, column: str, value: str
) -> None:
    rows = copied()
    rows[place][column] = value

    assert found_in(tmp_path, rows)["difference"]["field"] == column


@pytest.mark.parametrize("place", [0, 5, 10])
@pytest.mark.parametrize(
    ("column", "value", "named"),
    [
        ("event_id", "8a4f6a3e-6c1b-5d0e-9f3a-0b6d2f7c1e55", "hash"),
        ("key", "another", "hash"),
        ("partition", 5, "hash"),
        ("offset", 1_000_000, "hash"),
        ("timestamp", "2020-01-01T00:00:00Z", "hash"),
        ("headers", {"x": "y"}, "hash"),
        ("hash", "0" * 64, "hash"),
        ("previous_hash", "1" * 64, "previous_hash"),
    ],
)
def test_a_column_that_the_chain_covers_breaks_it(
    tmp_path: Path, place: int, column: str, value: object, named: str
) -> None:
    rows = copied()
    rows[place][column] = value

    found = found_in(tmp_path, rows)["difference"]

    assert found["field"] == named
    assert found["event"].startswith(rows[place]["topic"])


@pytest.mark.parametrize(
    ("column", "value", "named"),
    [
        ("event_id", "8a4f6a3e-6c1b-5d0e-9f3a-0b6d2f7c1e55", "event_id"),
        ("key", "another", "key"),
    ],
)
def test_id_and_key_follow_from_the_event_though_the_chain_is_whole(
    tmp_path: Path, column: str, value: str, named: str
) -> None:
    rows = copied()
    rows[-1][column] = value

    assert found_in(tmp_path, chained(rows))["difference"]["field"] == named


def test_what_people_read_is_what_the_chain_covers(tmp_path: Path) -> None:
    rows = copied()
    rows[1]["body"]["occurred_at"] = "2020-01-01T00:00:00Z"

    assert found_in(tmp_path, rows)["difference"]["field"] == "body.occurred_at"
