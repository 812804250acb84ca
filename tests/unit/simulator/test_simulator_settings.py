from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from services.simulator.errors import StartError
from services.simulator.main import main
from services.simulator.settings import parse_arguments


def test_the_command_line_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBELL_SIMULATOR__BARS", "/from/the/environment")

    settings = parse_arguments(
        [
            "--start=2023-06-01T13:30:00Z",
            "--speed=0.5",
            "--switch=volume_factor=100",
            "--switch=overtaken_question_goes_live=true",
            "--switch=penalty_s=1.5",
        ]
    )

    assert settings.bars == Path("/from/the/environment")
    assert settings.start == datetime(2023, 6, 1, 13, 30, tzinfo=UTC)
    assert settings.speed == Decimal("0.5")
    assert settings.switches.volume_factor == 100
    assert settings.switches.overtaken_question_goes_live
    assert settings.switches.penalty_s == 1.5


@pytest.mark.parametrize("switch", ["volume_factor=7", "no_such_switch=1", "penalty_s"])
def test_a_wrong_switch_is_refused(switch: str) -> None:
    with pytest.raises(StartError, match="--switch"):
        parse_arguments(["--switch", switch])


@pytest.mark.parametrize("arguments", [["--start", "2023-06-01T13:30:00"], ["--speed", "-1"]])
def test_a_time_without_zone_and_a_negative_speed_are_usage_errors(arguments: list[str]) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(arguments)


def test_what_cannot_be_used_is_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["--bars", str(tmp_path)])

    assert status == 2
    said = f"simulator: {tmp_path}: expected a folder with SYMBOL.csv files, found none\n"
    assert capsys.readouterr().err == said
