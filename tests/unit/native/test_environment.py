import stat
from dataclasses import replace
from pathlib import Path

import pytest

from deploy.native.credentials import Credentials, ensure_credentials
from deploy.native.environment import environment
from deploy.native.home import Home
from deploy.native.wiring import Wiring

SECRETS = Credentials(marketdata="m" * 20, execution="e" * 20)
WIRING = Wiring(
    home="/srv/openbell",
    kafka_servers="127.0.0.1:9092",
    database_url="postgresql://postgres@/openbell?host=/srv/openbell/run",
    llm_url="http://127.0.0.1:2/v1",
    llm_model="small",
    broker_url="http://127.0.0.1:3/v1/api",
    simulated=True,
    ports={"api-0": 8000, "api-1": 8010, "gateway-0": 4},
)


def secrets_of(part: str, base: dict[str, str] | None = None) -> dict[str, str]:
    env = environment(base or {}, WIRING, SECRETS, part)
    return {name: value for name, value in env.items() if name.endswith("_SECRET")}


@pytest.mark.parametrize(
    ("part", "holds"),
    [
        ("gateway", {SECRETS.marketdata, SECRETS.execution}),
        ("marketdata", {SECRETS.marketdata}),
        ("execution", {SECRETS.execution}),
        ("signals", set()),
        ("llm", set()),
    ],
)
def test_each_part_holds_only_the_secrets_it_needs(part: str, holds: set[str]) -> None:
    assert set(secrets_of(part).values()) == holds


def test_a_secret_of_the_user_reaches_only_its_holders() -> None:
    base = {"OPENBELL_GATEWAY__EXECUTION_SECRET": "own"}

    assert secrets_of("signals", base) == {}
    assert secrets_of("execution", base) == base


def test_settings_of_the_user_pass_through() -> None:
    env = environment({"OPENBELL_LIMIT": "7", "PATH": "/bin"}, WIRING, SECRETS, "signals", 2)

    assert (env["OPENBELL_LIMIT"], env["PATH"]) == ("7", "/bin")
    assert env["OPENBELL_ORDINAL"] == "2"
    assert env["OPENBELL_GATEWAY__URL"] == "http://127.0.0.1:4"


def test_clients_see_the_first_api_and_each_api_its_own_port() -> None:
    assert environment({}, WIRING, SECRETS, "clock", 1)["OPENBELL_API__PORT"] == "8000"
    assert environment({}, WIRING, SECRETS, "api", 1)["OPENBELL_API__PORT"] == "8010"


def test_real_time_has_no_record() -> None:
    simulated = environment({}, WIRING, SECRETS, "clock")
    real = environment({}, replace(WIRING, simulated=False), SECRETS, "clock")

    assert simulated["OPENBELL_MARKET_TIME__RECORD"] == "/srv/openbell/market-time.json"
    assert "OPENBELL_MARKET_TIME__RECORD" not in real
    assert real["OPENBELL_IBKR__SIMULATED"] == "false"


def test_secrets_are_made_once_for_the_owner_alone(tmp_path: Path) -> None:
    home = Home(tmp_path)

    made = ensure_credentials(home)
    token = home.token.read_text()

    assert ensure_credentials(home) == made
    assert home.token.read_text() == token
    assert made.marketdata != made.execution
    for path in (home.token, home.secrets):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
