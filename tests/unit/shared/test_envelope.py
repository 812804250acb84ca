import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from shared.dead_letters import dead_letter
from shared.envelope import decode, encode
from shared.events.request import RunRequested
from shared.events.run import RunWaiting, StepFailed
from shared.failures import PoisonError
from shared.topics import ALL, MAX_MESSAGE_BYTES, RUN_WAITING

NOW = datetime(2023, 5, 25, 13, 30, tzinfo=UTC)


def a_record(value: bytes | None, headers: tuple[tuple[str, bytes], ...] = ()) -> ConsumerRecord:
    return ConsumerRecord(
        topic="run.waiting",
        partition=3,
        offset=7,
        timestamp=1_700_000_000_000,
        timestamp_type=0,
        key=b"r1",
        value=value,
        checksum=None,
        serialized_key_size=2,
        serialized_value_size=len(value or b""),
        headers=headers,
    )


def a_waiting_run(run_id: str = "r1") -> RunWaiting:
    return RunWaiting(
        occurred_at=NOW, market_time=NOW, run_id=run_id, step="market_open", reason="closed"
    )


def test_an_event_comes_back_as_it_was_sent() -> None:
    message = encode(a_waiting_run(), source="clock")

    cause = decode(a_record(message.body.encode()), RunWaiting)

    assert cause.event == a_waiting_run()
    assert cause.source == "run.waiting/3/7"


def test_the_same_fact_has_the_same_bytes_id_and_trace() -> None:
    assert encode(a_waiting_run(), source="clock") == encode(a_waiting_run(), source="clock")


def test_another_run_has_another_id_and_another_trace() -> None:
    one, other = (encode(a_waiting_run(run), source="clock").headers for run in ("r1", "r2"))

    assert one["ce_id"] != other["ce_id"]
    assert one["traceparent"].split("-")[1] != other["traceparent"].split("-")[1]


def test_the_trace_of_the_cause_goes_on() -> None:
    parent = f"00-{'ab' * 16}-{'cd' * 8}-01"

    headers = encode(a_waiting_run(), source="clock", traceparent=parent).headers

    assert headers["traceparent"].split("-")[1] == "ab" * 16
    assert headers["traceparent"].split("-")[2] != "cd" * 8


def test_a_failed_step_of_the_run_is_not_that_of_a_symbol() -> None:
    times = {"occurred_at": NOW, "market_time": NOW}
    fields = {**times, "run_id": "r1", "step": "evidence", "code": "x", "reason": "y"}

    whole, symbol = StepFailed(**fields), StepFailed(**fields, symbol="TSLA")

    assert whole.event_id != symbol.event_id


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "empty_body"),
        (b"", "empty_body"),
        (b"\xff\xfe{", "wrong_encoding"),
        (b"{", "not_json"),
        (b"[" * 100_000, "not_json"),
        (b"[1]", "not_an_object"),
        (b"null", "not_an_object"),
        (b"{}", "not_the_event"),
        (b'{"run_id": 5}', "not_the_event"),
    ],
)
def test_an_unusable_body_is_poison_and_says_why(value: bytes | None, code: str) -> None:
    with pytest.raises(PoisonError) as caught:
        decode(a_record(value), RunWaiting)

    assert caught.value.code == code
    assert "expected" in caught.value.reason


def test_binary_headers_are_kept_as_escaped_text() -> None:
    record = a_record(b'{"a": 1}', headers=(("x", b"\xff\x00"),))

    assert decode(record, RunRequested).headers == {"x": "\\xff\\x00"}


@given(st.binary(max_size=300))
def test_no_bytes_at_all_do_anything_but_decode_or_poison(value: bytes) -> None:
    try:
        decode(a_record(value), RunWaiting)
    except PoisonError as e:
        assert e.reason


@given(
    st.dictionaries(
        st.text(max_size=10), st.none() | st.integers() | st.text(max_size=5), max_size=6
    )
)
def test_a_request_is_exactly_the_fields_that_were_sent(fields: dict[str, object]) -> None:
    cause = decode(a_record(json.dumps(fields).encode()), RunRequested)

    assert cause.event.fields == fields


def test_every_topic_has_one_event_type_and_says_so() -> None:
    assert all(topic.name == topic.event.type for topic in ALL)
    assert len({topic.event for topic in ALL}) == len(ALL)


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
def test_a_time_that_utc_does_not_have_is_poison_and_no_crash(moment: str) -> None:
    body = a_waiting_run().model_dump(mode="json") | {"occurred_at": moment}

    with pytest.raises(PoisonError) as caught:
        decode(a_record(json.dumps(body).encode()), RunWaiting)

    assert caught.value.code == "not_the_event"
    assert "between the years 1 and 9999" in caught.value.reason


def test_what_kafka_will_not_take_is_refused_before_it_is_recorded() -> None:
    large = a_waiting_run().model_copy(update={"step": "x" * RUN_WAITING.limit_bytes})

    with pytest.raises(PoisonError) as caught:
        encode(large, source="clock")

    assert caught.value.code == "too_large"


def test_a_reason_is_cut_however_much_a_stranger_wrote_into_it() -> None:
    body = a_waiting_run().model_dump(mode="json") | {"reason": "\u200b" * 500_000}

    event = RunWaiting.model_validate(body)

    assert len(event.reason) == 2_000
    assert event.reason.endswith("...")


def test_the_largest_dead_letter_is_one_that_kafka_takes() -> None:
    worst = b"\x01" * 2_000_000
    headers = tuple((f"{n}" + "\x01" * 5_000, b"\x01" * 5_000) for n in range(300))
    record = replace(a_record(worst, headers), key=worst)

    letter = dead_letter(
        record,
        PoisonError("not_json", "\x01" * 5_000),
        service="api",
        stamp={"occurred_at": NOW, "market_time": NOW},
    )

    assert len(encode(letter, source="api").body) < MAX_MESSAGE_BYTES
