from importlib import import_module
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli import main
from cli.main import COMMANDS, build
from deploy.native.errors import PartFailedError, RefusedError, StackError

CLI = Path(main.__file__).parent


@pytest.mark.parametrize("module", [name for name in COMMANDS if (CLI / f"{name}.py").exists()])
def test_a_module_holds_the_commands_that_help_lists(module: str) -> None:
    app: typer.Typer = import_module(f"cli.{module}").app
    names = {
        command.name or (command.callback.__name__ if command.callback else "")
        for command in app.registered_commands
    } | {group.name for group in app.registered_groups}

    assert names == set(COMMANDS[module])


def test_help_lists_only_what_exists() -> None:
    shown = CliRunner().invoke(build(["--help"]), ["--help"]).output

    assert "doctor" in shown
    assert all(
        (CLI / f"{m}.py").exists() for m, names in COMMANDS.items() for n in names if n in shown
    )


def test_an_unknown_command_is_wrong_usage() -> None:
    assert CliRunner().invoke(build(["dance"]), ["dance"]).exit_code == 2


def test_status_of_nothing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBELL_HOME", str(tmp_path))

    result = CliRunner().invoke(build(["status"]), ["status", "--json"])

    assert (result.exit_code, result.output.split()) == (1, ["{", '"processes":', "[]", "}"])


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (StackError("no"), 1, "openbell: no\n"),
        (RefusedError("never"), 3, "openbell: never\n"),
        (PartFailedError("kafka", "it died", "last words"), 1, "last words\n"),
    ],
)
def test_errors_become_plain_lines_and_exit_codes(
    error: Exception,
    code: int,
    text: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def failing() -> None:
        raise error

    monkeypatch.setattr(main, "build", lambda _: failing)
    monkeypatch.setattr(main, "load_env_file", lambda: None)

    with pytest.raises(SystemExit) as ended:
        main.main()

    assert ended.value.code == code
    assert capsys.readouterr().err.endswith(text)
