"""The Client Portal API as marketdata and execution see it: the same paths, behind a secret."""

from fastapi import APIRouter, Request, Response

from services.gateway.callers import Callers, why_not
from services.gateway.forward import Answer, Forwarder, problem
from shared.ibkr.client import BASE_PATH

_UNKNOWN = "show the secret of a known service as `Authorization: Bearer <secret>`"


def make_router(forwarder: Forwarder, callers: Callers) -> APIRouter:
    """Return the one route: known callers, allowed paths, forwarded."""
    router = APIRouter(tags=["broker"])

    @router.api_route(f"{BASE_PATH}/{{path:path}}", methods=["GET", "POST", "DELETE"])
    async def forward(path: str, request: Request) -> Response:
        """Answer as the broker does; 401 and 403 are ours."""
        caller = callers.known(request.headers.get("authorization", ""))
        if caller is None:
            return _response(problem(401, "Unauthorized", _UNKNOWN))
        refusal = why_not(caller, request.method, path)
        if refusal is not None:
            return _response(problem(403, "Forbidden", refusal))
        query = tuple(request.query_params.multi_items())
        if request.method == "GET":
            return _response(await forwarder.get(path, query))
        content_type = request.headers.get("content-type", "")
        return _response(await forwarder.post(path, query, await request.body(), content_type))

    return router


def _response(answer: Answer) -> Response:
    headers = {"content-type": answer.content_type} if answer.content_type else {}
    if answer.retry_after is not None:
        headers["retry-after"] = answer.retry_after
    return Response(answer.content, status_code=answer.status, headers=headers)
