"""The only source of "now" for trading logic.

Real time by default. Simulated time is one small record of the stack, a JSON file that all
processes and the simulator read: ``{"start", "speed", "anchor"}``. Market time stands at ``start``
until the wall instant ``anchor`` and runs ``speed`` times as fast as the wall from there on. It
never goes back: a record is replaced only by one whose time is not earlier.
"""

import asyncio
import os
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

# The longest nap of a waiter, so that a jump of simulated time is noticed.
_NAP_S = 0.25


class MarketClock(Protocol):
    """Tells market time."""

    def now(self) -> datetime:
        """Return market time, aware, in UTC."""
        ...

    @property
    def simulated(self) -> bool:
        """Whether this is not the real world's time."""
        ...


def wall_now() -> datetime:
    """Return wall-clock time, for time-outs, ``occurred_at`` and nothing of the market's."""
    return datetime.now(UTC)


class RealClock:
    """The real world's time."""

    simulated = False

    def now(self) -> datetime:
        return wall_now()


class TimeRecord(BaseModel):
    """Simulated time of a stack. ``anchor`` is None until all is ready: time stands still."""

    model_config = ConfigDict(frozen=True)

    start: AwareDatetime
    speed: Decimal = Field(default=Decimal(1), ge=0)
    anchor: AwareDatetime | None = None

    def at(self, wall: datetime) -> datetime:
        """Return the market time at a wall instant."""
        start = self.start.astimezone(UTC)
        if self.anchor is None or wall <= self.anchor:
            return start
        return start + timedelta(seconds=(wall - self.anchor).total_seconds() * float(self.speed))


def read_record(path: Path) -> TimeRecord:
    """Read the record. Raises OSError or pydantic.ValidationError."""
    return TimeRecord.model_validate_json(path.read_bytes())


def write_record(path: Path, record: TimeRecord) -> None:
    """Replace the record atomically. Raises ValueError where market time would go back."""
    if path.exists():
        before = read_record(path).at(wall_now())
        after = record.at(wall_now())
        if after < before:
            msg = f"market time never goes back: it is {before}, the new record says {after}"
            raise ValueError(msg)
    scratch = path.with_suffix(".tmp")
    scratch.write_text(record.model_dump_json(), encoding="utf-8")
    scratch.replace(path)


@dataclass
class SimulatedClock:
    """Follow the record of a stack; a replaced file is noticed at the next call."""

    path: Path
    _seen: tuple[int, int] | None = None
    _record: TimeRecord | None = None

    simulated = True

    def now(self) -> datetime:
        stat = os.stat(self.path)  # noqa: PTH116  # twice as fast as Path.stat, and on every event
        seen = (stat.st_mtime_ns, stat.st_ino)
        if self._record is None or seen != self._seen:
            self._record, self._seen = read_record(self.path), seen
        return self._record.at(wall_now())


def make_clock(record: Path | None) -> MarketClock:
    """Return the stack's clock: simulated where a record is given, else real."""
    return RealClock() if record is None else SimulatedClock(record)


async def sleep_until(clock: MarketClock, instant: datetime) -> None:
    """Return once market time has reached ``instant``, whatever time does in between."""
    while (left := (instant - clock.now()).total_seconds()) > 0:  # noqa: ASYNC110  # it may jump
        await asyncio.sleep(min(left, _NAP_S))


def main(arguments: list[str]) -> int:
    """Start simulated time where there is none yet: ``python -m shared.market_time FILE START``."""
    path, start = Path(arguments[0]), arguments[1]
    if not path.exists():
        write_record(path, TimeRecord.model_validate({"start": start, "anchor": wall_now()}))
    sys.stdout.write(f"market time: {read_record(path).at(wall_now()).isoformat()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
