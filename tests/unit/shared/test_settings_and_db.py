import ssl
from pathlib import Path

import pytest

from services.api.settings import Settings as ApiSettings
from shared.db import driver_url
from shared.settings import Settings, SettingsFileError


def test_a_secret_may_come_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "token"
    secret.write_text("open sesame\n")
    monkeypatch.setenv("OPENBELL_API__TOKEN_FILE", str(secret))

    token = ApiSettings().api.token

    assert token is not None
    assert token.get_secret_value() == "open sesame"
    assert "sesame" not in repr(ApiSettings())


def test_a_value_goes_before_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "token"
    secret.write_text("from the file")
    monkeypatch.setenv("OPENBELL_API__TOKEN_FILE", str(secret))
    monkeypatch.setenv("OPENBELL_API__TOKEN", "from the environment")

    token = ApiSettings().api.token

    assert token is not None
    assert token.get_secret_value() == "from the environment"


def test_a_file_that_is_not_there_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBELL_API__TOKEN_FILE", str(tmp_path / "none"))

    with pytest.raises(SettingsFileError, match="OPENBELL_API__TOKEN_FILE: expected a readable"):
        ApiSettings()


def test_a_setting_that_is_a_file_itself_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBELL_DATABASE__CA_FILE", "/no/such/ca.pem")

    assert Settings().database.ca_file == Path("/no/such/ca.pem")


def test_nested_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBELL_KAFKA__BOOTSTRAP_SERVERS", "a:1,b:2")

    assert Settings().kafka.bootstrap_servers == "a:1,b:2"


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_whoever_asks_for_tls_gets_it_verified(mode: str) -> None:
    url, arguments = driver_url(
        f"postgresql://u:p@db.example:5432/x?sslmode={mode}&channel_binding=require"
    )

    assert arguments["ssl"].verify_mode is ssl.CERT_REQUIRED
    assert arguments["ssl"].check_hostname
    assert url.render_as_string() == "postgresql+asyncpg://u:***@db.example:5432/x"


def test_a_unix_socket_stays_one() -> None:
    url, arguments = driver_url("postgresql://postgres@/openbell?host=/run/pg")

    assert (url.query["host"], arguments) == ("/run/pg", {})
