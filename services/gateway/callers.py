"""Who may ask the broker what. Reads only: orders have no way through this gateway."""

import hmac
import re
from enum import StrEnum

from services.gateway.settings import CallerSettings

_PATH = re.compile(r"[A-Za-z0-9_.\-]+(/[A-Za-z0-9_.\-]+)*")
_DATA = ("trsrv/", "iserver/contract/", "iserver/secdef/", "iserver/marketdata/")
_ACCOUNT = ("portfolio/", "iserver/account/")
# Reads that the broker wants as a POST.
_POSTS = ("iserver/contract/rules", "iserver/secdef/search", "iserver/marketdata/unsubscribe")


class Caller(StrEnum):
    """A service that is known by its secret."""

    MARKETDATA = "marketdata"
    EXECUTION = "execution"


class Callers:
    """The callers by their secrets, compared in constant time."""

    def __init__(self, settings: CallerSettings) -> None:
        self._expected = {
            Caller.MARKETDATA: _header(settings.marketdata_secret.get_secret_value()),
            Caller.EXECUTION: _header(settings.execution_secret.get_secret_value()),
        }

    def known(self, authorization: str) -> Caller | None:
        """Return who sent this ``Authorization`` header, or None."""
        shown = authorization.encode()
        matches = {c: hmac.compare_digest(shown, header) for c, header in self._expected.items()}
        return next((caller for caller, same in matches.items() if same), None)


def why_not(caller: Caller, method: str, path: str) -> str | None:
    """Say why a caller may not make a request, or None. What is not listed is refused."""
    if not _PATH.fullmatch(path) or ".." in path.split("/") or "." in path.split("/"):
        return f"{path!r} is no plain path of the Client Portal API"
    if method == "POST" and path in _POSTS:
        return None
    if method != "GET":
        return f"{method} {path}: this gateway forwards reads only, no order verbs"
    if path == "iserver/accounts" or path.startswith(_DATA):
        return None
    if caller is Caller.EXECUTION and path.startswith(_ACCOUNT):
        return None
    return f"GET {path} is not among what {caller} may ask"


def _header(secret: str) -> bytes:
    return f"Bearer {secret}".encode()
