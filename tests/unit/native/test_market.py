from datetime import UTC, datetime
from pathlib import Path

import pytest

from deploy.native import market
from deploy.native.demo_day import DEMO_START
from deploy.native.errors import StackError
from deploy.native.home import Home
from shared.market_time import read_record


def test_time_stands_at_the_demo_start_until_all_is_ready(tmp_path: Path) -> None:
    market.prepare(Home(tmp_path), {})

    record = read_record(Home(tmp_path).market_time)

    assert record.start == datetime.fromisoformat(DEMO_START)
    assert record.anchor is None


def test_a_later_start_goes_on_from_the_first(tmp_path: Path) -> None:
    home = Home(tmp_path)
    market.prepare(home, {"OPENBELL_MARKET_TIME__START": "2022-01-03T09:00:00-05:00"})
    market.let_run(home)
    before = read_record(home.market_time)

    market.prepare(home, {"OPENBELL_MARKET_TIME__START": "2019-01-03T09:00:00-05:00"})
    market.let_run(home)

    assert read_record(home.market_time) == before
    assert before.start == datetime(2022, 1, 3, 14, tzinfo=UTC)
    assert before.anchor is not None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("START", "noon"),
        ("START", "2022-01-03T09:00:00"),
        ("START", "2009-12-31T09:00:00Z"),
        ("START", "2199-01-03T09:00:00Z"),
        ("SPEED", "fast"),
    ],
)
def test_a_time_that_is_none_is_refused_in_one_line(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(StackError, match=f"OPENBELL_MARKET_TIME__{name}: expected") as error:
        market.prepare(Home(tmp_path), {f"OPENBELL_MARKET_TIME__{name}": value})
    assert "\n" not in str(error.value)
