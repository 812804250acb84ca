"""Who may ask what."""

import pytest
from pydantic import SecretStr, ValidationError

from services.gateway.callers import Caller, Callers, why_not
from services.gateway.settings import CallerSettings, GatewaySettings

MARKETDATA, EXECUTION = "m" * 16, "e" * 16
READS = [
    "trsrv/stocks",
    "trsrv/secdef",
    "iserver/accounts",
    "iserver/contract/4815747/info",
    "iserver/secdef/search",
    "iserver/marketdata/snapshot",
    "iserver/marketdata/history",
]
ACCOUNT_READS = ["portfolio/accounts", "portfolio/DU1/ledger", "iserver/account/orders"]
ORDER_VERBS = [
    ("POST", "iserver/account/DU1234567/orders"),
    ("POST", "iserver/account/DU1234567/orders/whatif"),
    ("POST", "iserver/account/DU1234567/order/1"),
    ("DELETE", "iserver/account/DU1234567/order/1"),
    ("POST", "iserver/reply/abc"),
    ("POST", "iserver/questions/suppress"),
]


def test_a_caller_is_known_by_its_secret_alone() -> None:
    callers = Callers(
        CallerSettings(
            marketdata_secret=SecretStr(MARKETDATA), execution_secret=SecretStr(EXECUTION)
        )
    )
    assert callers.known(f"Bearer {MARKETDATA}") is Caller.MARKETDATA
    assert callers.known(f"Bearer {EXECUTION}") is Caller.EXECUTION
    for wrong in ("", "Bearer", "Bearer ", MARKETDATA, f"Bearer {MARKETDATA}x", "Bearer \xe9"):
        assert callers.known(wrong) is None


@pytest.mark.parametrize("path", READS)
def test_both_may_read_market_data(path: str) -> None:
    assert why_not(Caller.MARKETDATA, "GET", path) is None
    assert why_not(Caller.EXECUTION, "GET", path) is None


@pytest.mark.parametrize("path", ACCOUNT_READS)
def test_only_execution_may_read_the_account(path: str) -> None:
    assert why_not(Caller.EXECUTION, "GET", path) is None
    assert why_not(Caller.MARKETDATA, "GET", path) is not None


@pytest.mark.parametrize("caller", list(Caller))
@pytest.mark.parametrize(("method", "path"), ORDER_VERBS)
def test_nobody_may_order(caller: Caller, method: str, path: str) -> None:
    assert "no order verbs" in (why_not(caller, method, path) or "")


@pytest.mark.parametrize("path", ["tickle", "logout", "iserver/auth/ssodh/init", "fyi/x", "ws"])
def test_nobody_else_touches_the_session(path: str) -> None:
    for method in ("GET", "POST"):
        assert why_not(Caller.EXECUTION, method, path) is not None


@pytest.mark.parametrize(
    "path",
    ["trsrv/../portfolio/a", "trsrv/./x", "trsrv//x", "trsrv/", "/trsrv/x", "trsrv/a?b", "a;b", ""],
)
def test_a_path_with_tricks_is_refused(path: str) -> None:
    assert "no plain path" in (why_not(Caller.EXECUTION, "GET", path) or "")


@pytest.mark.parametrize(("one", "other"), [("short", "e" * 16), ("e" * 16, "e" * 16), ("", "")])
def test_secrets_that_are_none_are_refused_at_start(one: str, other: str) -> None:
    with pytest.raises(ValidationError, match="two different secrets") as caught:
        CallerSettings(marketdata_secret=SecretStr(one), execution_secret=SecretStr(other))
    assert "e" * 16 not in str(caught.value)


def test_simulated_time_with_a_real_broker_is_refused_at_start() -> None:
    common = {
        "market_time": {"record": "/nowhere/market-time.json"},
        "gateway": {"marketdata_secret": MARKETDATA, "execution_secret": EXECUTION},
    }
    broker = {"base_url": "https://localhost:5000"}
    with pytest.raises(ValidationError, match="simulated time with the real broker"):
        GatewaySettings.model_validate({**common, "ibkr": broker})
    GatewaySettings.model_validate({**common, "ibkr": {**broker, "simulated": True}})
