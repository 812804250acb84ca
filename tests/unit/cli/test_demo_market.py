import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.demo_market import bring_to_the_bell, jump_to, origin_of_data
from cli.errors import CommandError, Exit
from shared.market_time import TimeRecord, read_record, wall_now, write_record
from tests.unit.cli.fake_api import api_that, problem

OPEN = datetime(2023, 6, 5, 13, 30, tzinfo=UTC)
CLOSE = datetime(2023, 6, 5, 20, 0, tzinfo=UTC)
NEXT_OPEN = datetime(2023, 6, 6, 13, 30, tzinfo=UTC)
LEAD = timedelta(seconds=10)


def session_at(now: datetime) -> dict[str, Any]:
    """The session of one trading day, as the clock tells it."""
    if OPEN <= now < CLOSE:
        state, bell = "open", CLOSE
    else:
        state, bell = "closed", OPEN if now < OPEN else NEXT_OPEN
    return {"exchange": "XNYS", "state": state, "valid_until": bell.isoformat()}


def a_record(path: Path, start: datetime, speed: int = 1) -> Path:
    write_record(path, TimeRecord(start=start, speed=Decimal(speed), anchor=wall_now()))
    return path


def market_of(record: Path, *, told: bool = True) -> httpx.MockTransport:
    """``GET /market`` of a stack whose clock follows the record."""

    def answer(_: httpx.Request) -> httpx.Response:
        now = read_record(record).at(wall_now())
        sessions = [session_at(now if told else OPEN - timedelta(days=9))]
        return httpx.Response(200, json={"market_time": now.isoformat(), "sessions": sessions})

    return httpx.MockTransport(answer)


def bring(record: Path, *, told: bool = True, timeout_s: float = 5) -> list[str]:
    said: list[str] = []
    api = api_that(market_of(record, told=told).handle_request)
    bring_to_the_bell(api, record, timeout_s=timeout_s, say=said.append)
    return said


@given(st.datetimes(datetime(2023, 6, 5), datetime(2023, 6, 6, 13, 29), timezones=st.just(UTC)))  # noqa: DTZ001  # hypothesis adds the zone
def test_market_time_only_jumps_forward_and_then_a_run_starts_within_seconds(
    now: datetime,
) -> None:
    jumps = 0
    while (to := jump_to(session_at(now), now)) is not None:
        assert to > now
        now, jumps = to, jumps + 1

    session = session_at(now)
    opens_soon = datetime.fromisoformat(session["valid_until"]) - now <= LEAD
    assert session["state"] == "open" or opens_soon
    assert jumps <= 2


def test_an_open_market_is_left_as_it_is_and_said_so(tmp_path: Path) -> None:
    record = a_record(tmp_path / "time.json", OPEN + timedelta(hours=1))
    before = record.read_bytes()

    said = bring(record)

    assert record.read_bytes() == before
    assert ["no waiting for the bell" in line for line in said] == [True]


def test_a_closed_market_is_brought_to_ten_seconds_before_the_bell(tmp_path: Path) -> None:
    record = a_record(tmp_path / "time.json", CLOSE + timedelta(hours=2), speed=3)

    said = bring(record)

    assert read_record(record).start == NEXT_OPEN - LEAD
    assert read_record(record).speed == 3
    assert "jumps to Tue 2023-06-06 09:29:50 New York" in said[0]


def test_seconds_before_the_bell_nothing_is_moved(tmp_path: Path) -> None:
    record = a_record(tmp_path / "time.json", OPEN - timedelta(seconds=9))
    before = record.read_bytes()

    assert bring(record) == []
    assert record.read_bytes() == before


def test_a_session_that_is_nearly_over_is_skipped_for_the_next(tmp_path: Path) -> None:
    record = a_record(tmp_path / "time.json", CLOSE - timedelta(minutes=1))

    said = bring(record)

    assert read_record(record).start == NEXT_OPEN - LEAD
    assert len(said) == 2


def test_a_clock_that_does_not_follow_is_waited_for_no_longer_than_said(tmp_path: Path) -> None:
    record = a_record(tmp_path / "time.json", OPEN + timedelta(hours=1))

    with pytest.raises(CommandError, match="expected the clock to tell the session") as e:
        bring(record, told=False, timeout_s=0)

    assert e.value.code is Exit.TIMED_OUT


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"data": "synthetic", "seed": 4, "bars_dir": None}, "synthetic: a made-up market"),
        ({"data": "csv", "seed": 4, "bars_dir": "/bars"}, "real daily bars from /bars"),
    ],
)
def test_the_origin_of_the_data_is_as_the_simulator_says(
    state: dict[str, object], words: str
) -> None:
    simulator = api_that(lambda _: httpx.Response(200, content=json.dumps(state)))

    assert words in origin_of_data(simulator)


def test_a_simulator_that_does_not_answer_is_named() -> None:
    with pytest.raises(CommandError, match="expected the simulator at"):
        origin_of_data(api_that(lambda _: problem(500, "x", "y")))
