from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from services.simulator.errors import StartError
from services.simulator.market_time import OwnTime, RecordedTime, TimeRecord

START = datetime(2023, 6, 1, 13, 29, 50, tzinfo=UTC)
ANCHOR = datetime(2026, 1, 1, tzinfo=UTC)


def test_time_stands_still_until_the_anchor_and_is_scaled_after_it() -> None:
    record = TimeRecord(start=START, speed=Decimal(60), anchor=ANCHOR)

    assert record.at(ANCHOR - timedelta(days=1)) == START
    assert record.at(ANCHOR + timedelta(seconds=2)) == START + timedelta(minutes=2)
    assert TimeRecord(start=START).at(ANCHOR) == START


def test_speed_zero_is_frozen() -> None:
    assert OwnTime(START, Decimal(0)).now() == START


def test_a_replaced_record_is_noticed(tmp_path: Path) -> None:
    file, other = tmp_path / "time.json", tmp_path / "other.json"
    file.write_text('{"start": "2023-06-01T13:29:50Z", "speed": "1", "anchor": null}')
    other.write_text('{"start": "2023-06-02T13:29:50Z", "speed": "1", "anchor": null}')
    time = RecordedTime(file)

    before = time.now()
    other.replace(file)

    assert before == START
    assert time.now() == START + timedelta(days=1)


@pytest.mark.parametrize("text", ["", "{}", '{"start": "2023-06-01T13:29:50"}'])
def test_a_record_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "time.json"
    file.write_text(text)

    with pytest.raises(StartError, match=r"time\.json"):
        RecordedTime(file)


def test_a_missing_record_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartError):
        RecordedTime(tmp_path / "none.json")
