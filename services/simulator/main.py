"""The composition root: settings in, server out. Nothing is read or opened at import."""

import logging
import sys
from collections.abc import Sequence

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exception_handlers import request_validation_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse, Response

from services.simulator import websocket
from services.simulator.connections import CuttableProtocol
from services.simulator.door import BASE, Door
from services.simulator.errors import Refusal, StartError, bad_request
from services.simulator.routes import contracts, marketdata, orders, portfolio, session, sim
from services.simulator.settings import Settings, parse_arguments
from services.simulator.world import make_world

_ROUTERS = (session, contracts, marketdata, portfolio, orders, websocket)
_USAGE = 2


def build_app(settings: Settings) -> FastAPI:
    """Return the server. Raises StartError where the settings cannot be used."""
    app = FastAPI(title="openbell simulator", openapi_url=None, redirect_slashes=False)
    world = make_world(settings)
    app.state.world = world
    app.add_middleware(Door, world=world)
    app.add_exception_handler(Refusal, _refuse)
    app.add_exception_handler(RequestValidationError, _misread)
    for part in _ROUTERS:
        app.include_router(part.router, prefix=BASE)
    app.include_router(sim.router)
    return app


def main(argv: Sequence[str]) -> int:
    """Run the simulator until it is stopped. 2: it was started with something unusable."""
    logging.basicConfig(level=logging.WARNING, format="simulator: %(message)s")
    try:
        settings = parse_arguments(argv)
        app = build_app(settings)
    except StartError as e:
        sys.stderr.write(f"simulator: {e}\n")
        return _USAGE
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        http=CuttableProtocol,
        ws="websockets-sansio",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=1,
    )
    return 0


async def _misread(request: Request, error: Exception) -> Response:
    """Answer a request whose parameters are wrong: in the broker's form under the base."""
    if not isinstance(error, RequestValidationError):
        raise error
    if not request.url.path.startswith(BASE):
        return await request_validation_exception_handler(request, error)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    refusal = bad_request(f"{where}: {first['msg']}")
    return JSONResponse(refusal.body, refusal.status)


async def _refuse(_: Request, refusal: Exception) -> Response:
    if not isinstance(refusal, Refusal):
        raise refusal
    if isinstance(refusal.body, str):
        return PlainTextResponse(refusal.body, refusal.status)
    return JSONResponse(refusal.body, refusal.status)
