"""Settings of marketdata: where the gateway is, and how it knows us."""

from pydantic import BaseModel, SecretStr

from shared.settings import Settings


class GatewayAccess(BaseModel):
    """The gateway's address, and the secret by which it knows this service."""

    url: str
    marketdata_secret: SecretStr


class MarketDataSettings(Settings):
    """``OPENBELL_GATEWAY__URL`` and ``OPENBELL_GATEWAY__MARKETDATA_SECRET``."""

    gateway: GatewayAccess
