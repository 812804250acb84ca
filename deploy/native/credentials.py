"""Random secrets of a home, made once: never a default password, never in a log."""

import json
import secrets
from dataclasses import asdict, dataclass

from deploy.native.files import write_atomically
from deploy.native.home import Home

_BYTES = 32
_OWNER_ONLY = 0o600


@dataclass(frozen=True)
class Credentials:
    """What marketdata and execution show to the gateway, each its own."""

    marketdata: str
    execution: str


def ensure_credentials(home: Home) -> Credentials:
    """Return the home's secrets; make them, and the API token, where they do not exist yet."""
    if not home.token.exists():
        write_atomically(home.token, secrets.token_urlsafe(_BYTES), mode=_OWNER_ONLY)
    if not home.secrets.exists():
        made = Credentials(secrets.token_urlsafe(_BYTES), secrets.token_urlsafe(_BYTES))
        write_atomically(home.secrets, json.dumps(asdict(made)), mode=_OWNER_ONLY)
    return Credentials(**json.loads(home.secrets.read_text(encoding="utf-8")))
