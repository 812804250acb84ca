import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from services.simulator.bars import COLUMNS, CsvBars, bar_before, bar_on, read_bars
from services.simulator.errors import StartError

GOOD = ["2023-06-01,10.001,12,9.5,11,100", "2023-06-02,11,13,10,12,200"]


def write(folder: Path, *rows: str, header: str = ",".join(COLUMNS)) -> Path:
    file = folder / "TSLA.csv"
    file.write_text("\n".join([header, *rows]) + "\n")
    return file


def test_prices_are_rounded_to_cents(tmp_path: Path) -> None:
    bars = read_bars(write(tmp_path, *GOOD))

    assert bars[0].open == Decimal("10.00")
    assert bars[1].volume == 200


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("2023-06-05,10,9,11,10,1", "expected High at or above Low 11, found 9"),
        ("2023-06-05,14,13,10,12,1", "expected Open between Low 10 and High 13, found 14"),
        ("2023-06-05,11,13,10,9,1", "expected Close between Low 10 and High 13, found 9"),
        ("2023-06-05,eleven,13,10,12,1", "Open as a number of at least 0.01, found 'eleven'"),
        ("2023-06-05,11,nan,10,12,1", "High as a number of at least 0.01, found 'nan'"),
        ("2023-06-05,11,13,-1,12,1", "Low as a number of at least 0.01, found '-1'"),
        ("2023-06-05,11,13,10,12,1.5", "Volume as a whole number of shares, found '1.5'"),
        ("2023-06-05,11,13,10,12,-1", "Volume as a whole number of shares, found '-1'"),
        ("05/06/2023,11,13,10,12,1", "Date as YYYY-MM-DD, found '05/06/2023'"),
        ("2023-06-02,11,13,10,12,1", "a date later than 2023-06-02, found 2023-06-02"),
        ("2023-06-01,11,13,10,12,1", "a date later than 2023-06-02, found 2023-06-01"),
        ("2023-06-05,11,13,10", "expected 6 values, found 4"),
    ],
)
def test_a_malformed_row_is_refused_with_file_line_expected_and_found(
    tmp_path: Path, row: str, complaint: str
) -> None:
    file = write(tmp_path, *GOOD, row)

    with pytest.raises(StartError, match=re.escape(complaint)) as refused:
        read_bars(file)

    assert str(refused.value).startswith(f"{file}, line 4: ")


def test_a_missing_column_is_refused(tmp_path: Path) -> None:
    file = write(tmp_path, "2023-06-01,1,1,1,1", header="Date,Open,High,Low,Close")

    with pytest.raises(StartError, match=r"line 1: expected the columns .*, found no Volume"):
        read_bars(file)


def test_a_file_without_rows_and_a_folder_without_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"expected a folder with SYMBOL\.csv files"):
        CsvBars(tmp_path)

    with pytest.raises(StartError, match="found the end of the file"):
        read_bars(write(tmp_path))


def test_bars_are_found_by_day(tmp_path: Path) -> None:
    write(tmp_path, *GOOD)
    source = CsvBars(tmp_path)

    first, second = source.until("TSLA", date(2023, 6, 30))

    assert bar_on(source, "TSLA", date(2023, 6, 1)) == first
    assert bar_on(source, "TSLA", date(2023, 6, 3)) is None
    assert bar_before(source, "TSLA", date(2023, 6, 2)) == first
    assert bar_before(source, "TSLA", date(2023, 6, 5)) == second
    assert bar_before(source, "TSLA", date(2023, 6, 1)) is None
