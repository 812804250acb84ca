"""Market time: real, its own, or that of a record which the whole stack shares.

A record is ``{"start": ISO-TIME, "speed": NUMBER, "anchor": ISO-TIME | null}``. Market time stands
at ``start`` until the wall instant ``anchor``; then it runs ``speed`` times as fast as the wall.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Protocol

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from services.simulator.errors import StartError


def wall_now() -> datetime:
    """Return wall-clock time, aware, in UTC."""
    return datetime.now(UTC)


class MarketTime(Protocol):
    """Tells market time."""

    def now(self) -> datetime:
        """Return market time, aware, in UTC."""
        ...


class TimeRecord(BaseModel):
    """Where market time starts, how fast it runs, and from when on. No anchor: it stands still."""

    model_config = ConfigDict(frozen=True)

    start: AwareDatetime
    speed: Decimal = Field(default=Decimal(1), ge=0)
    anchor: AwareDatetime | None = None

    def at(self, wall: datetime) -> datetime:
        """Return market time at a wall instant, in UTC."""
        start = self.start.astimezone(UTC)
        if self.anchor is None or wall <= self.anchor:
            return start
        return start + timedelta(seconds=(wall - self.anchor).total_seconds() * float(self.speed))


class RealTime:
    """The real world's time."""

    def now(self) -> datetime:
        """Return the wall clock's time."""
        return wall_now()


class OwnTime:
    """Time that starts at a given instant when the simulator starts."""

    def __init__(self, start: datetime, speed: Decimal) -> None:
        self._record = TimeRecord(start=start, speed=speed, anchor=wall_now())

    def now(self) -> datetime:
        """Return the time since the start, scaled."""
        return self._record.at(wall_now())


class RecordedTime:
    """Time of a record in a file, which is replaced as a whole when time jumps forward."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._record = self._current()

    def now(self) -> datetime:
        """Return the time that the record says now. Raises StartError where it cannot be read."""
        return self._current().at(wall_now())

    def _current(self) -> TimeRecord:
        try:
            stat = self._path.stat()
            seen = (stat.st_mtime_ns, stat.st_ino)
            if seen != self._seen:
                self._record = TimeRecord.model_validate_json(self._path.read_bytes())
                self._seen = seen
        except (OSError, ValidationError) as e:
            msg = f"time record {self._path}: {e}"
            raise StartError(msg) from e
        return self._record
