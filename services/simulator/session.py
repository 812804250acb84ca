"""The broker login: an outer session, a brokerage session in it, and what each has been asked."""

from dataclasses import dataclass, field
from time import monotonic
from uuid import uuid4

ACCOUNT = "DU1234567"
USERNAME = "user1234"
USER_ID = 123456789
MAC = "98:F2:B3:23:BF:A0"
SERVER_NAME = "JifN19053"
SERVER_VERSION = "Build 10.25.0p, Dec 5, 2023 5:48:12 PM"


@dataclass
class Session:
    """One login and what the broker remembers of it. A new brokerage session forgets all reads."""

    id: str = field(default_factory=lambda: uuid4().hex)
    logged_in: bool = True
    authenticated: bool = True
    competing: bool = False
    accounts_asked: bool = False
    portfolio_accounts_asked: bool = False
    orders_asked: bool = False
    trades_asked: bool = False
    history_warm: bool = False
    # Contract -> field -> how many snapshots have asked for it.
    fields_asked: dict[int, dict[str, int]] = field(default_factory=dict)
    suppressed: set[str] = field(default_factory=set)
    last_request: float = field(default_factory=monotonic)

    def log_in(self) -> None:
        """Start anew, as a person does at the login page; it opens the brokerage session too."""
        self.id = uuid4().hex
        self.logged_in = True
        self.portfolio_accounts_asked = False
        self.last_request = monotonic()
        self.open_brokerage()

    def log_out(self) -> None:
        """End both sessions."""
        self.logged_in = self.authenticated = False

    def open_brokerage(self) -> None:
        """Open a brokerage session; what was asked of an earlier one must be asked again."""
        self.authenticated = True
        self.competing = False
        self.accounts_asked = self.orders_asked = self.trades_asked = self.history_warm = False
        self.fields_asked.clear()
        self.suppressed.clear()

    def touch(self, idle_timeout_s: int) -> None:
        """Note a request; one that comes too late finds the session gone. 0: it never is."""
        now = monotonic()
        if idle_timeout_s and now - self.last_request > idle_timeout_s:
            self.log_out()
        self.last_request = now

    def warm_fields(self, conid: int, fields: list[str], preflights: int) -> list[str]:
        """Count a snapshot of some fields and return those that have been asked for before."""
        seen = self.fields_asked.setdefault(conid, {})
        warm = [name for name in fields if seen.get(name, 0) >= preflights]
        for name in fields:
            seen[name] = seen.get(name, 0) + 1
        return warm
