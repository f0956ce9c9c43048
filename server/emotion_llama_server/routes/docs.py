"""Serves `/docs`, which describes the API to people, and `/llms.txt`, which agents read.

The first needs neither a key nor the internet: Swagger UI comes with vLLM, and no script is inline.
"""

import functools
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import vllm
from fastapi import FastAPI, Response
from fastapi.responses import FileResponse, HTMLResponse

from emotion_llama_server import paths

_OURS = Path(__file__).parent / "static"
_LLMS = _OURS / "llms.txt"
_SWAGGER = Path(vllm.__path__[0]) / "entrypoints" / "serve" / "instrumentator" / "static"
_FILES = {
    paths.DOCS_START: _OURS / "start.js",
    paths.SWAGGER_SCRIPT: _SWAGGER / "swagger-ui-bundle.js",
    paths.SWAGGER_STYLE: _SWAGGER / "swagger-ui.css",
}

_PAGE = (_OURS / "docs.html").read_text(encoding="utf-8")

# Swagger UI writes styles into its elements, and its pictures are data URLs.
_POLICY = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "script-src 'self'; connect-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:"
)


def install(app: FastAPI) -> None:
    """Add the pages to the app, and replace the one that loads Swagger UI from the internet."""
    app.add_api_route(paths.LLMS, _sender(_LLMS), include_in_schema=False)
    if app.openapi_url is None:  # the operator disabled the document
        return
    replaced, routes = (paths.DOCS, paths.DOCUMENT), app.router.routes
    routes[:] = [route for route in routes if getattr(route, "path", None) not in replaced]
    app.add_api_route(paths.DOCS, _docs, include_in_schema=False)
    app.add_api_route(paths.DOCUMENT, _document(app), include_in_schema=False)
    for path, file in _FILES.items():
        app.add_api_route(path, _sender(file), include_in_schema=False)


async def _docs() -> Response:
    return HTMLResponse(_PAGE, headers={"Content-Security-Policy": _POLICY})


def _document(app: FastAPI) -> Callable[[], Awaitable[Response]]:
    """Return a route's function that serialises the document once; FastAPI does so each time."""

    @functools.cache
    def written() -> bytes:
        return json.dumps(app.openapi(), ensure_ascii=False).encode()

    async def send() -> Response:
        return Response(written(), media_type="application/json")

    return send


def _sender(file: Path) -> Callable[[], Awaitable[FileResponse]]:
    async def send() -> FileResponse:
        return FileResponse(file)

    return send
