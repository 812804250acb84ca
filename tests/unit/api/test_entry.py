"""The ledger takes in whatever Kafka took, as text that PostgreSQL takes."""

import json
from datetime import UTC, datetime

import pytest
from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from services.api.entry import KEPT_BYTES, Beats, Entry, entry_of
from shared.topics import BY_NAME


def record(
    value: bytes | None,
    key: bytes | None = None,
    headers: tuple[tuple[str, bytes | None], ...] = (),
    topic: str = "run.requested",
    timestamp: int = 1_700_000_000_000,
) -> "ConsumerRecord[bytes, bytes]":
    return ConsumerRecord(topic, 0, 7, timestamp, 0, key, value, None, 0, 0, headers)


def texts(entry: Entry) -> list[str]:
    found = [entry.body, entry.source, *entry.headers, *entry.headers.values()]
    return found + [text for text in (entry.run_id, entry.symbol, entry.key) if text is not None]


fields = st.dictionaries(st.sampled_from(["run_id", "symbol", "x"]), st.text() | st.integers())
bodies = st.none() | st.binary() | fields.map(lambda f: json.dumps(f).encode())
names = st.text(st.characters(codec="utf-8"))
headers = st.lists(
    st.tuples(names | st.sampled_from(["ce_id", "ce_source"]), st.none() | st.binary())
).map(tuple)


@given(bodies, st.none() | st.binary(), headers, st.sampled_from(sorted(BY_NAME)))
def test_any_record_is_an_entry_that_postgresql_takes(
    value: bytes | None,
    key: bytes | None,
    headers: tuple[tuple[str, bytes | None], ...],
    topic: str,
) -> None:
    entry = entry_of(record(value, key, headers, topic))

    for text in texts(entry):
        assert "\x00" not in text
        text.encode("utf-8")
    assert len(entry.source) <= 64
    assert entry.hash_after("0" * 64) != entry.hash_after("1" * 64)


@pytest.mark.parametrize("timestamp", [-1, 0, 2**62])
def test_a_time_that_no_calendar_knows_stops_nothing(timestamp: int) -> None:
    assert entry_of(record(b"{}", timestamp=timestamp)).timestamp.tzinfo is UTC


def test_of_a_body_larger_than_any_of_ours_the_beginning_is_kept() -> None:
    entry = entry_of(record(b"x" * (KEPT_BYTES + 5)))

    assert entry.body.startswith("x" * KEPT_BYTES)
    assert entry.body.endswith(f"(the first {KEPT_BYTES} of {KEPT_BYTES + 5} bytes)")


def test_what_is_plain_is_kept_as_it_is() -> None:
    body = b'{"run_id": "r-1", "symbol": "TSLA"}'
    entry = entry_of(record(body, b"r-1", (("ce_source", b"openbell/api"),)))

    assert (entry.body, entry.key, entry.source) == (body.decode(), "r-1", "openbell/api")
    assert (entry.run_id, entry.symbol) == ("r-1", "TSLA")
    assert entry.timestamp == datetime.fromtimestamp(1_700_000_000, UTC)


def beat(state: str, at: str) -> Entry:
    body = {"state": state, "since": "then", "occurred_at": at, "valid_until": at}
    return entry_of(record(json.dumps(body).encode(), topic="broker.session"))


def test_of_the_heartbeats_only_news_is_kept() -> None:
    beats = Beats()
    told = [beat("ready", "1"), beat("ready", "2"), beat("competing", "3"), beat("ready", "4")]

    assert [beats.is_news(entry) for entry in told] == [True, False, True, True]


def test_other_events_are_all_news() -> None:
    beats, entry = Beats(), entry_of(record(b"{}"))

    assert [beats.is_news(entry) for _ in range(2)] == [True, True]


@pytest.mark.parametrize("milliseconds", [-(10**15), -1, 0, 2**62])
def test_any_time_that_a_client_claims_is_taken_in(milliseconds: int) -> None:
    assert entry_of(record(b"{}", timestamp=milliseconds)).timestamp.tzinfo is UTC
