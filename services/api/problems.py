"""Errors of REST as problem+json (RFC 9457): what was expected, what was found, what to do."""

from http import HTTPStatus

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from shared.failures import OURS, is_ours

log = structlog.get_logger(__name__)


class ProblemError(Exception):
    """An error with an HTTP status, a code for programs and a reason for people."""

    def __init__(self, status: HTTPStatus, code: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.code = code
        self.reason = reason


def problem(status: int, code: str, reason: str) -> JSONResponse:
    """Return the answer."""
    return JSONResponse(
        {
            "type": "about:blank",
            "title": code,
            "status": status,
            "code": code,
            "detail": reason,
        },
        status_code=status,
        media_type="application/problem+json",
    )


def handle_problems(app: FastAPI) -> None:
    """Answer every error of an app in this form."""

    @app.exception_handler(ProblemError)
    async def known(_: Request, e: ProblemError) -> JSONResponse:
        return problem(e.status, e.code, e.reason)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, e: RequestValidationError) -> JSONResponse:
        first = e.errors()[0]
        where = ".".join(map(str, first["loc"]))
        return problem(422, "invalid_field", f"{where}: {first['msg']}")

    @app.exception_handler(HTTPException)
    async def http(_: Request, e: HTTPException) -> JSONResponse:
        return problem(e.status_code, HTTPStatus(e.status_code).name.lower(), str(e.detail))

    async def unforeseen(_: Request, e: Exception) -> JSONResponse:
        if is_ours(e):
            reason = f"our storage does not answer ({type(e).__name__}); try again in a moment"
            return problem(503, "storage_unavailable", reason)
        log.error("a request failed", exc_info=e)
        reason = "this is a fault of openbell; what it was is in the log: ./openbell logs api"
        return problem(500, "internal_error", reason)

    for kind in (*OURS, Exception):
        app.add_exception_handler(kind, unforeseen)
