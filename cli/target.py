"""Where commands go: what the environment names, else this home's stack, else the defaults."""

import os
from pathlib import Path

from cli.client import Api
from cli.errors import CommandError
from deploy.native.home import Home
from deploy.native.stack import Stack
from deploy.native.wiring import Wiring
from shared.market_time import MarketClock, make_clock

_DEFAULT_API = "http://127.0.0.1:8000"
_DEFAULT_KAFKA = "127.0.0.1:9092"


def wiring() -> Wiring | None:
    """Return the addresses of this home's stack; None where none runs."""
    state = Stack(Home.of(os.environ).root).state()
    return state.wiring if state else None


def api() -> Api:
    """Return the api to ask. Raises CommandError where its token cannot be read."""
    url = os.environ.get("OPENBELL_API__URL")
    if not url:
        stack = wiring()
        url = stack.url("api") if stack else _DEFAULT_API
    return api_at(url)


def api_at(url: str) -> Api:
    """Return the api at an address, with the token in force. Raises CommandError."""
    return Api(url.rstrip("/"), _token())


def kafka_servers() -> str:
    """Return the bootstrap servers to write to."""
    if named := os.environ.get("OPENBELL_KAFKA__BOOTSTRAP_SERVERS"):
        return named
    stack = wiring()
    return stack.kafka_servers if stack else _DEFAULT_KAFKA


def market_clock() -> MarketClock:
    """Return the clock of this home's market: simulated where its stack's is."""
    stack = wiring()
    return make_clock(stack.files.market_time if stack and stack.simulated else None)


def _token() -> str | None:
    if given := os.environ.get("OPENBELL_API__TOKEN"):
        return given
    named = os.environ.get("OPENBELL_API__TOKEN_FILE")
    path = Path(named) if named else Home.of(os.environ).token
    try:
        return path.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        return None
    except OSError as e:
        msg = f"expected the token of the api in {path}, found: {e.strerror}; who may read it?"
        raise CommandError(msg) from e
