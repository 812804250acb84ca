"""Daily bars, and where they come from: CSV files that are right, or a refusal that says why."""

import csv
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple, Protocol

from services.simulator.errors import StartError

COLUMNS = ("Date", "Open", "High", "Low", "Close", "Volume")
CENT = Decimal("0.01")

_SYMBOL = re.compile(r"[A-Z][A-Z0-9.]{0,11}")


@dataclass(frozen=True, slots=True)
class DailyBar:
    """One trading day of one symbol. Prices in dollars, rounded to cents; volume in shares."""

    day: date
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: int


class BarSource(Protocol):
    """All daily bars that a market is made of, future ones included: ``market`` veils them."""

    @property
    def kind(self) -> str:
        """What the bars are: ``csv`` or ``synthetic``."""
        ...

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols that have bars."""
        ...

    def until(self, symbol: str, day: date) -> Sequence[DailyBar]:
        """Return the bars of a symbol up to and including a day, oldest first."""
        ...


class CsvBars:
    """The bars of a folder of ``SYMBOL.csv`` files. Raises StartError where a file is malformed."""

    kind = "csv"

    def __init__(self, folder: Path) -> None:
        files = sorted(folder.glob("*.csv")) if folder.is_dir() else []
        if not files:
            msg = f"{folder}: expected a folder with SYMBOL.csv files, found none"
            raise StartError(msg)
        self._bars = {_symbol(file): read_bars(file) for file in files}
        self.symbols = tuple(self._bars)

    def until(self, symbol: str, day: date) -> Sequence[DailyBar]:
        """Return the rows up to and including a day, oldest first."""
        bars = self._bars[symbol]
        return bars[: bisect_right(bars, day, key=_day)]


def bar_on(source: BarSource, symbol: str, day: date) -> DailyBar | None:
    """Return the bar of a day, or None where the symbol did not trade then."""
    bars = source.until(symbol, day)
    return bars[-1] if bars and bars[-1].day == day else None


def bar_before(source: BarSource, symbol: str, day: date) -> DailyBar | None:
    """Return the last bar earlier than a day."""
    bars = source.until(symbol, day)
    earlier = bisect_left(bars, day, key=_day)
    return bars[earlier - 1] if earlier else None


def read_bars(file: Path) -> list[DailyBar]:
    """Read one file. Raises StartError naming file, line, what was expected and what was found."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            bars = list(_rows(file, csv.reader(stream)))
    except (OSError, UnicodeDecodeError, csv.Error) as e:
        msg = f"{file}: expected a readable CSV file, found: {e}"
        raise StartError(msg) from e
    if not bars:
        msg = f"{file}, line 2: expected a row of numbers, found the end of the file"
        raise StartError(msg)
    return bars


class _Place(NamedTuple):
    file: Path
    line: int

    def expected(self, wanted: str, found: object) -> StartError:
        msg = f"{self.file}, line {self.line}: expected {wanted}, found {found}"
        return StartError(msg)


def _rows(file: Path, reader: Iterator[list[str]]) -> Iterator[DailyBar]:
    header: list[str] = next(reader, [])
    if missing := [column for column in COLUMNS if column not in header]:
        wanted = f"the columns {','.join(COLUMNS)}"
        raise _Place(file, 1).expected(wanted, f"no {', no '.join(missing)}")
    last: date | None = None
    for line, row in enumerate(reader, start=2):
        if not row:
            continue
        place = _Place(file, line)
        if len(row) != len(header):
            raise place.expected(f"{len(header)} values", len(row))
        bar = _bar(place, dict(zip(header, row, strict=True)))
        if last is not None and bar.day <= last:
            raise place.expected(f"a date later than {last}", bar.day)
        last = bar.day
        yield bar


def _bar(place: _Place, row: dict[str, str]) -> DailyBar:
    opened, high, low, close = (_price(place, column, row[column]) for column in COLUMNS[1:5])
    if high < low:
        raise place.expected(f"High at or above Low {low}", high)
    for column, price in (("Open", opened), ("Close", close)):
        if not low <= price <= high:
            raise place.expected(f"{column} between Low {low} and High {high}", price)
    return DailyBar(
        day=_date(place, row["Date"]),
        open=opened.quantize(CENT),
        high=high.quantize(CENT),
        low=low.quantize(CENT),
        close=close.quantize(CENT),
        volume=_volume(place, row["Volume"]),
    )


def _date(place: _Place, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise place.expected("Date as YYYY-MM-DD", repr(text)) from None


def _price(place: _Place, column: str, text: str) -> Decimal:
    price = _number(text)
    if price is None or price < CENT:
        raise place.expected(f"{column} as a number of at least {CENT}", repr(text))
    return price


def _volume(place: _Place, text: str) -> int:
    volume = _number(text)
    if volume is None or volume < 0 or volume != int(volume):
        raise place.expected("Volume as a whole number of shares", repr(text))
    return int(volume)


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _symbol(file: Path) -> str:
    symbol = file.stem.upper()
    if not _SYMBOL.fullmatch(symbol):
        msg = f"{file}: expected a file named SYMBOL.csv, found {file.name}"
        raise StartError(msg)
    return symbol


def _day(bar: DailyBar) -> date:
    return bar.day
