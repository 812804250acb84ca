"""What is in force in a stack, fit to be shown: no secret is in it."""

import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from deploy.native.wiring import Wiring

_SECRET = re.compile(r"pass|key|token|secret", re.IGNORECASE)


def without_password(url: str) -> str:
    """Return the URL without the secrets that it holds before its host or in its query."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    shown = [(n, v) for n, v in parse_qsl(parts.query) if not _SECRET.search(n)]
    query = parts.query if len(shown) == len(parse_qsl(parts.query)) else urlencode(shown)
    return urlunsplit(parts._replace(netloc=user.partition(":")[0] + at + host, query=query))


def in_force(wiring: Wiring) -> dict[str, Any]:
    """Return the addresses of a stack by section."""
    simulator = wiring.url("simulator") if wiring.port("simulator") else None
    return {
        "home": wiring.home,
        "api": {"url": wiring.url("api"), "token_file": str(wiring.files.token)},
        "kafka": {"bootstrap_servers": wiring.kafka_servers},
        "database": {"url": without_password(wiring.database_url)},
        "llm": {"base_url": without_password(wiring.llm_url), "model": wiring.llm_model},
        "ibkr": {
            "base_url": without_password(wiring.broker_url),
            "simulated": wiring.simulated,
            "simulator_url": simulator,
        },
        "mlflow": {"tracking_uri": without_password(wiring.mlflow_uri)},
        "gateway": {"url": wiring.url("gateway")},
        "market_time": {"record": str(wiring.files.market_time) if wiring.simulated else None},
    }
