"""Settings of the gateway: where the broker is, and who may come through."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, SecretStr, model_validator

from shared.settings import Settings

_SHORTEST_SECRET = 16


class IbkrSettings(BaseModel):
    """The Client Portal: ``https://localhost:5000``, with or without ``/v1/api``.

    ``ca_file`` holds its certificate where no public authority signed it. ``account`` must be one
    of the login's. ``simulated`` says that it is the simulator; it shows wherever prices show.
    """

    base_url: str
    ca_file: Path | None = None
    account: str | None = None
    simulated: bool = False


class CallerSettings(BaseModel):
    """The secrets by which callers are known; one each."""

    marketdata_secret: SecretStr
    execution_secret: SecretStr

    @model_validator(mode="after")
    def _two_real_secrets(self) -> Self:
        found = [s.get_secret_value() for s in (self.marketdata_secret, self.execution_secret)]
        if min(map(len, found)) < _SHORTEST_SECRET or found[0] == found[1]:
            msg = f"expected two different secrets of at least {_SHORTEST_SECRET} characters"
            raise ValueError(msg)
        return self


class GatewaySettings(Settings):
    """``OPENBELL_IBKR__*`` and ``OPENBELL_GATEWAY__*``."""

    ibkr: IbkrSettings
    gateway: CallerSettings

    @model_validator(mode="after")
    def _real_broker_in_real_time(self) -> Self:
        if self.market_time.record is not None and not self.ibkr.simulated:
            msg = (
                f"simulated time with the real broker {self.ibkr.base_url}: unset "
                "OPENBELL_MARKET_TIME__RECORD, or point OPENBELL_IBKR__BASE_URL at the simulator"
            )
            raise ValueError(msg)
        return self
