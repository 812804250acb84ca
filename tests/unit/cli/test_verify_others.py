"""Any client may write into a run: that is left out of it, and told; what services wrote is not."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from shared.envelope import Message, encode
from shared.events.dead_letter import DeadLetter
from shared.events.run import StepFailed
from tests.unit.cli.recorded_run import RUN, STAMP, chained, changed, messages, rows_of, setting
from tests.unit.cli.verifying import copied, found_in, recorded, verified

GARBAGE = json.dumps({"run_id": RUN})
READ_BY_A_SERVICE = {
    "run.accepted": "clock",
    "run.market-open": "gateway",
    "run.broker-ready": "marketdata",
    "evidence.captured": "signals",
    "signal.checked": "execution",
    "order.changed": "api",
    "step.failed": "api",
}


def letter_about(topic: str, offset: int, *, run_id: str | None = RUN) -> Message:
    letter = DeadLetter(
        **STAMP,
        service=READ_BY_A_SERVICE[topic],
        reason="expected another",
        code="not_the_event",
        topic=topic,
        partition=0,
        offset=offset,
        raw_key=None,
        raw_headers=(),
        raw_body=base64.b64encode(GARBAGE.encode()).decode(),
        run_id=run_id,
    )
    return encode(letter, source=READ_BY_A_SERVICE[topic])


def step_failed(**changes: Any) -> Message:
    fields = {"run_id": RUN, "step": "order", "code": "not_the_event", "reason": "so"}
    return encode(StepFailed(**STAMP, **fields | changes), source="execution")


@pytest.mark.parametrize("topic", READ_BY_A_SERVICE)
def test_what_any_client_writes_into_a_good_run_is_left_out_and_told(
    tmp_path: Path, topic: str
) -> None:
    stranger = Message(topic, "", {}, GARBAGE)

    code, text = verified(tmp_path, rows_of([*messages(), stranger]))

    assert (code, text) == (0, "identical: 11 events\n1 record of others left out\n")


def test_programs_are_told_how_many_records_are_left_out(tmp_path: Path) -> None:
    strangers = [
        Message("signal.checked", "", {}, GARBAGE),
        Message("order.changed", "", {"ce_source": "me"}, GARBAGE),
    ]

    found = found_in(tmp_path, rows_of([*messages(), *strangers]))

    assert (found["events"], found["left_out"]) == (11, 2)


def test_a_stranger_may_come_first_and_take_the_name_of_a_service(tmp_path: Path) -> None:
    forged = Message("signal.checked", RUN, {"ce_source": "openbell/signals"}, GARBAGE)
    records = messages()

    rows = rows_of([*records[:3], forged, *records[3:]])

    assert found_in(tmp_path, rows)["left_out"] == 1


def test_a_stranger_may_take_name_and_id_of_an_event_and_is_known_by_its_burial(
    tmp_path: Path,
) -> None:
    records = messages()
    signal = next(record for record in records if record.topic == "signal.checked")
    body = json.dumps({"run_id": RUN, "symbol": "TSLA"})
    forged = Message("signal.checked", RUN, signal.headers, body)

    rows = rows_of([*records[:3], forged, letter_about("signal.checked", 0), *records[3:]])

    assert found_in(tmp_path, rows)["left_out"] == 1


def test_the_burial_of_a_keyed_record_fails_a_step_of_a_finished_run_in_vain(
    tmp_path: Path,
) -> None:
    stranger = Message("signal.checked", RUN, {}, GARBAGE)
    buried = [letter_about("signal.checked", 2), step_failed()]

    found = found_in(tmp_path, rows_of([*messages(), stranger, *buried]))

    assert (found["identical"], found["events"], found["left_out"]) == (True, 13, 1)


def test_a_buried_event_of_others_is_left_out_though_it_could_be_one(tmp_path: Path) -> None:
    records = messages()
    signal = next(record for record in records if record.topic == "signal.checked")
    other = json.dumps(json.loads(signal.body) | {"confidence": 1.0})
    forged = Message("signal.checked", "", {}, other)

    rows = rows_of([*records, forged, letter_about("signal.checked", 2)])

    assert found_in(tmp_path, rows)["left_out"] == 1


def test_a_letter_that_anyone_may_write_hides_no_event_of_a_service(tmp_path: Path) -> None:
    letter = letter_about("signal.checked", 0)
    rows = rows_of([*messages(), letter])

    assert found_in(tmp_path, rows)["left_out"] == 0
    spoilt = changed(rows, "signal.checked", setting("confidence", to=0.123))
    assert found_in(tmp_path, spoilt)["difference"]["field"] == "confidence"


def test_a_repeated_request_is_not_the_one_that_was_accepted(tmp_path: Path) -> None:
    another = Message("run.requested", RUN, {}, json.dumps({"run_id": RUN, "strategy_id": 99}))

    assert found_in(tmp_path, rows_of([*messages(), another]))["identical"]


@pytest.mark.parametrize("value", ["unreadable", [], None])
def test_an_event_of_a_service_that_is_none_any_more_is_not_left_out(
    tmp_path: Path, value: object
) -> None:
    rows = changed(recorded(), "signal.checked", setting("confidence", to=value))

    found = found_in(tmp_path, rows)

    assert found["left_out"] == 0
    assert found["difference"]["event"] == "signal.checked TSLA"
    assert found["difference"]["field"] == "confidence"


@pytest.mark.parametrize("raw", ["", "x", "[]", "{}", '{"run_id": 1}', "[" * 100_000])
def test_a_body_that_names_no_run_any_more_is_not_left_out(tmp_path: Path, raw: str) -> None:
    rows = copied()
    rows[-1]["raw"] = raw

    found = found_in(tmp_path, chained(rows))

    assert (found["left_out"], found["identical"]) == (0, False)
    assert found["difference"]["event"] == "run.finished"


def test_what_was_left_out_is_under_the_chain_too(tmp_path: Path) -> None:
    rows = rows_of([*messages(), Message("signal.checked", "", {}, GARBAGE)])
    rows[-1]["raw"] = rows[-1]["raw"].replace(" ", "")

    assert found_in(tmp_path, rows)["difference"]["field"] == "hash"
