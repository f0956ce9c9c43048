"""Answers `GET /livez` and `GET /readyz` for supervisors of the server; `/health` is vLLM's."""

from fastapi import APIRouter, Request, Response
from starlette.exceptions import HTTPException

from emotion_llama_server import paths
from emotion_llama_server.routes.error_route import ErrorRoute
from emotion_llama_server.services import services_of

router = APIRouter(route_class=ErrorRoute, tags=["probes"])


@router.get(paths.LIVEZ, response_class=Response)
async def livez() -> Response:
    """Answer 200 while the process is alive."""
    return Response()


@router.get(paths.READYZ, response_class=Response)
async def readyz(raw_request: Request) -> Response:
    """Answer 200 if the server accepts requests, 503 while it ends or after its engine has died."""
    if not services_of(raw_request.app).accepts_requests:
        raise HTTPException(503, "The server accepts no requests now.", {"Retry-After": "2"})
    return Response()
