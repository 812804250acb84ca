"""The settings that a part is started with."""

import os
from collections.abc import Mapping

from deploy.native.credentials import Credentials
from deploy.native.home import CHECKOUT
from deploy.native.wiring import Wiring

_MARKETDATA_SECRET = "OPENBELL_GATEWAY__MARKETDATA_SECRET"  # noqa: S105  # a name, not a secret
_EXECUTION_SECRET = "OPENBELL_GATEWAY__EXECUTION_SECRET"  # noqa: S105  # a name, not a secret

# Each service holds only the secrets that it needs: only execution can send order verbs.
_HOLDERS = {
    _MARKETDATA_SECRET: ("gateway", "marketdata"),
    _EXECUTION_SECRET: ("gateway", "execution"),
}


def environment(
    base: Mapping[str, str], wiring: Wiring, credentials: Credentials, part: str, ordinal: int = 0
) -> dict[str, str]:
    """Return the environment of a replica: ``base`` (the user's) with the stack's settings."""
    env = {name: value for name, value in base.items() if name not in _HOLDERS}
    env |= _settings(wiring, part, ordinal)
    known = {
        _MARKETDATA_SECRET: credentials.marketdata,
        _EXECUTION_SECRET: credentials.execution,
    }
    for name, holders in _HOLDERS.items():
        if part in holders:
            env[name] = base.get(name) or known[name]
    env.setdefault("OPENBELL_LOG_LEVEL", "INFO")
    env["PYTHONPATH"] = os.pathsep.join(filter(None, (str(CHECKOUT), base.get("PYTHONPATH"))))
    # Logs must be complete when a part is killed.
    env["PYTHONUNBUFFERED"] = "1"
    # NumPy would start a thread per core and keep memory for each; nothing here needs them.
    env["OPENBLAS_NUM_THREADS"] = "1"
    return env


def _settings(wiring: Wiring, part: str, ordinal: int) -> dict[str, str]:
    home = wiring.files
    settings = {
        "OPENBELL_HOME": str(home.root),
        "OPENBELL_KAFKA__BOOTSTRAP_SERVERS": wiring.kafka_servers,
        "OPENBELL_DATABASE__URL": wiring.database_url,
        "OPENBELL_LLM__BASE_URL": wiring.llm_url,
        "OPENBELL_IBKR__BASE_URL": wiring.broker_url,
        "OPENBELL_IBKR__SIMULATED": str(wiring.simulated).lower(),
        "OPENBELL_MLFLOW__TRACKING_URI": wiring.mlflow_uri,
        "OPENBELL_GATEWAY__URL": wiring.url("gateway"),
        "OPENBELL_API__PORT": str(wiring.port("api", ordinal if part == "api" else 0)),
        "OPENBELL_API__URL": wiring.url("api"),
        "OPENBELL_API__TOKEN_FILE": str(home.token),
        "OPENBELL_ORDINAL": str(ordinal),
    }
    if wiring.llm_model:
        settings["OPENBELL_LLM__MODEL"] = wiring.llm_model
    if wiring.simulated:
        settings["OPENBELL_MARKET_TIME__RECORD"] = str(home.market_time)
    return settings
