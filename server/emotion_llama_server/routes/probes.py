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
    """Answer 200 if routers may send requests, 503 from a signal on or after the engine's death."""
    if not services_of(raw_request.app).is_ready:
        raise HTTPException(503, "The server is ending; send it no requests.", {"Retry-After": "2"})
    return Response()
