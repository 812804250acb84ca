"""Simulated time of the demo market: where it begins, and when it begins to run."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from pydantic import ValidationError

from deploy.native.demo_day import DEMO_START
from deploy.native.errors import StackError
from deploy.native.home import Home
from shared.market_time import TimeRecord, read_record, wall_now, write_record

# As far as exchange_calendars knows the holidays, with some time to run.
_EARLIEST, _AHEAD = datetime(2010, 1, 4, tzinfo=UTC), timedelta(weeks=50)


def prepare(home: Home, env: Mapping[str, str]) -> None:
    """Write the record, standing still, where the home has none: time goes on from earlier."""
    if home.market_time.exists():
        return
    start = env.get("OPENBELL_MARKET_TIME__START") or DEMO_START
    speed = env.get("OPENBELL_MARKET_TIME__SPEED") or "1"
    try:
        record = TimeRecord.model_validate({"start": start, "speed": speed})
    except ValidationError as e:
        wrong = e.errors()[0]["loc"][0]
        msg = (
            f"OPENBELL_MARKET_TIME__{str(wrong).upper()}: expected an ISO time with offset and a "
            f"speed from 0, found start {start!r} and speed {speed!r}"
        )
        raise StackError(msg) from e
    _refuse_outside_the_calendar(record, start)
    write_record(home.market_time, record)


def _refuse_outside_the_calendar(record: TimeRecord, said: str) -> None:
    latest = wall_now() + _AHEAD
    if not _EARLIEST <= record.start <= latest:
        msg = (
            f"OPENBELL_MARKET_TIME__START: expected a time from {_EARLIEST:%Y-%m-%d} to "
            f"{latest:%Y-%m-%d}, as far as the exchange's calendar goes, found {said}"
        )
        raise StackError(msg)


def let_run(home: Home) -> None:
    """Anchor simulated time at this moment, unless it runs already."""
    record = read_record(home.market_time)
    if record.anchor is None:
        write_record(home.market_time, record.model_copy(update={"anchor": wall_now()}))
