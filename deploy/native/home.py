"""Where a stack keeps its state: the home directory, ``.openbell`` of the checkout by default."""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]

# sockaddr_un holds 104 bytes on macOS and 108 on Linux.
_LONGEST_SOCKET_PATH = 100
_SOCKET_NAME = ".s.PGSQL.5432"


@dataclass(frozen=True)
class Home:
    """The files of one stack."""

    root: Path

    @classmethod
    def of(cls, env: Mapping[str, str]) -> "Home":
        """Return the home that the environment names, else the checkout's own."""
        named = env.get("OPENBELL_HOME")
        return cls(Path(named).expanduser().resolve() if named else CHECKOUT / ".openbell")

    @property
    def state(self) -> Path:
        return self.root / "stack.json"

    @property
    def lock(self) -> Path:
        return self.root / "stack.lock"

    @property
    def market_time(self) -> Path:
        return self.root / "market-time.json"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets.json"

    @property
    def token(self) -> Path:
        return self.root / "token"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def postgres(self) -> Path:
        return self.root / "data" / "postgres"

    @property
    def kafka(self) -> Path:
        return self.root / "data" / "kafka"

    @property
    def mlflow(self) -> Path:
        return self.root / "data" / "mlflow"

    @property
    def sockets(self) -> Path:
        """Where PostgreSQL's socket is: in the home, or in a short place where that is too deep."""
        here = self.root / "run"
        if len(os.fsencode(here / _SOCKET_NAME)) <= _LONGEST_SOCKET_PATH:
            return here
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"openbell-{os.getuid()}-{digest}"

    @property
    def socket(self) -> Path:
        return self.sockets / _SOCKET_NAME

    def make(self) -> None:
        """Create the directories that are missing."""
        for folder in (self.root, self.logs, self.root / "data"):
            folder.mkdir(parents=True, exist_ok=True)
