"""What is in force in a stack, fit to be shown: no secret is in it."""

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from deploy.native.wiring import Wiring


def without_password(url: str) -> str:
    """Return the URL without the password, if it has one."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=user.partition(":")[0] + at + host))


def in_force(wiring: Wiring) -> dict[str, Any]:
    """Return the addresses of a stack by section."""
    simulator = wiring.url("simulator") if wiring.port("simulator") else None
    return {
        "home": wiring.home,
        "api": {"url": wiring.url("api"), "token_file": str(wiring.files.token)},
        "kafka": {"bootstrap_servers": wiring.kafka_servers},
        "database": {"url": without_password(wiring.database_url)},
        "llm": {"base_url": wiring.llm_url, "model": wiring.llm_model},
        "ibkr": {
            "base_url": wiring.broker_url,
            "simulated": wiring.simulated,
            "simulator_url": simulator,
        },
        "gateway": {"url": wiring.url("gateway")},
        "market_time": {"record": str(wiring.files.market_time) if wiring.simulated else None},
    }
