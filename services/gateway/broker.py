"""The one way to the broker: every request waits for its turn, every 429 is taken note of."""

import httpx

from services.gateway.pacing import Pacer
from services.gateway.settings import IbkrSettings
from shared.ibkr.client import BASE_PATH, api_url, tls
from shared.ibkr.wire import decimal

_TOO_MANY = 429
_TIMEOUT = httpx.Timeout(10.0, connect=2.0)
# The status is asked every ten seconds: the connection stays.
_CONNECTIONS = httpx.Limits(max_connections=20, keepalive_expiry=60)


class PacedTransport(httpx.AsyncBaseTransport):
    """Paces whatever goes through it. Raises what httpx raises, and HeldError."""

    def __init__(self, inner: httpx.AsyncBaseTransport, pacer: Pacer) -> None:
        self._inner = inner
        self._pacer = pacer

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request when its turn has come; its answer is read whole within the turn."""
        path = request.url.path.removeprefix(f"{BASE_PATH}/")
        async with self._pacer.turn(path) as begun:
            response = await self._inner.handle_async_request(request)
            await response.aread()
        if response.status_code == _TOO_MANY:
            seconds = decimal(response.headers.get("retry-after"))
            self._pacer.refused(path, begun, None if seconds is None else float(seconds))
        return response

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


def broker_http(settings: IbkrSettings, pacer: Pacer) -> httpx.AsyncClient:
    """Return the client of the broker; nothing connects yet. Redirects are answers."""
    inner = httpx.AsyncHTTPTransport(verify=tls(settings.ca_file), limits=_CONNECTIONS)
    return httpx.AsyncClient(
        base_url=f"{api_url(settings.base_url)}/",
        transport=PacedTransport(inner, pacer),
        timeout=_TIMEOUT,
        headers={"User-Agent": "openbell"},
    )
