import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.market_time import (
    RealClock,
    SimulatedClock,
    TimeRecord,
    make_clock,
    read_record,
    sleep_until,
    wall_now,
    write_record,
)

BELL = datetime(2023, 5, 25, 13, 30, tzinfo=UTC)
WALL = datetime(2026, 1, 1, tzinfo=UTC)


def test_time_stands_still_until_all_is_ready() -> None:
    assert TimeRecord(start=BELL).at(WALL) == BELL


def test_time_runs_as_fast_as_it_is_told() -> None:
    record = TimeRecord(start=BELL, speed=Decimal(60), anchor=WALL)

    assert record.at(WALL + timedelta(seconds=2)) == BELL + timedelta(minutes=2)


@given(
    st.decimals(min_value=0, max_value=1000, allow_nan=False),
    st.floats(0, 1e6),
    st.floats(0, 1e6),
)
def test_time_never_goes_back(speed: Decimal, earlier: float, more: float) -> None:
    record = TimeRecord(start=BELL, speed=speed, anchor=WALL)
    first = WALL + timedelta(seconds=earlier)

    assert record.at(first) <= record.at(first + timedelta(seconds=more))


def test_a_record_that_would_turn_time_back_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "market-time.json"
    write_record(path, TimeRecord(start=BELL))

    with pytest.raises(ValueError, match="never goes back"):
        write_record(path, TimeRecord(start=BELL - timedelta(seconds=1)))

    assert read_record(path).start == BELL


def test_a_clock_notices_that_its_record_was_replaced(tmp_path: Path) -> None:
    path = tmp_path / "market-time.json"
    write_record(path, TimeRecord(start=BELL))
    clock = SimulatedClock(path)
    before = clock.now()

    write_record(path, TimeRecord(start=BELL + timedelta(days=1)))

    assert (before, clock.now()) == (BELL, BELL + timedelta(days=1))


def test_without_a_record_time_is_real() -> None:
    clock = make_clock(None)

    assert isinstance(clock, RealClock)
    assert abs(clock.now() - wall_now()) < timedelta(seconds=5)


async def test_a_sleeper_wakes_when_time_jumps(tmp_path: Path) -> None:
    path = tmp_path / "market-time.json"
    write_record(path, TimeRecord(start=BELL))
    sleeper = asyncio.create_task(sleep_until(SimulatedClock(path), BELL + timedelta(hours=1)))
    await asyncio.sleep(0)
    assert not sleeper.done()

    write_record(path, TimeRecord(start=BELL + timedelta(hours=2)))

    async with asyncio.timeout(5):
        await sleeper
