"""Serves the pages: `/` introduces the server, `/docs` and `/llms.txt` describe its use.

They need neither a key nor the internet: Swagger UI comes with vLLM, and no script is inline.
"""

import functools
import html
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from string import Template

import vllm
from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, HTMLResponse

from emotion_llama_server import paths
from emotion_llama_server.services import services_of

_OURS = Path(__file__).parent / "static"
_SWAGGER = Path(vllm.__path__[0]) / "entrypoints" / "serve" / "instrumentator" / "static"
_STYLE = {paths.STYLE: _OURS / "page.css", paths.LLMS: _OURS / "llms.txt"}
_DOCS_FILES = {
    paths.DOCS_START: _OURS / "start.js",
    paths.SWAGGER_SCRIPT: _SWAGGER / "swagger-ui-bundle.js",
    paths.SWAGGER_STYLE: _SWAGGER / "swagger-ui.css",
}

_HOME = Template((_OURS / "home.html").read_text(encoding="utf-8"))
_SWAGGER_PAGE = (_OURS / "docs.html").read_text(encoding="utf-8")

_NOTHING_ELSE = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_HOME_POLICY = f"{_NOTHING_ELSE}; style-src 'self'; img-src data:"
# Swagger UI writes styles into its elements, and its pictures are data URLs.
_DOCS_POLICY = (
    f"{_NOTHING_ELSE}; script-src 'self'; connect-src 'self'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data:"
)


def install(app: FastAPI) -> None:
    """Add the pages to the app, and replace those that load Swagger UI from the internet."""
    app.add_api_route(paths.HOME, _home, include_in_schema=False)
    files = _STYLE
    if app.openapi_url is not None:  # the operator did not disable the document
        replaced, routes = (paths.DOCS, paths.DOCUMENT), app.router.routes
        routes[:] = [route for route in routes if getattr(route, "path", None) not in replaced]
        app.add_api_route(paths.DOCS, _docs, include_in_schema=False)
        app.add_api_route(paths.DOCUMENT, _document(app), include_in_schema=False)
        files = _STYLE | _DOCS_FILES
    for path, file in files.items():
        app.add_api_route(path, _sender(file), include_in_schema=False)


async def _home(raw_request: Request) -> Response:
    """Return the page that describes the served model with the checkpoint's own words."""
    services = services_of(raw_request.app)
    served = await services.models.show_available_models()
    words = {
        "description": services.card.description,
        "models": ", ".join(model.id for model in served.data),
    }
    escaped = {name: html.escape(text) for name, text in words.items()}
    return _page(_HOME.substitute(escaped), _HOME_POLICY)


async def _docs() -> Response:
    return _page(_SWAGGER_PAGE, _DOCS_POLICY)


def _document(app: FastAPI) -> Callable[[], Awaitable[Response]]:
    """Return a route's function that serialises the document once; FastAPI does so each time."""

    @functools.cache
    def written() -> bytes:
        return json.dumps(app.openapi(), ensure_ascii=False).encode()

    async def send() -> Response:
        return Response(written(), media_type="application/json")

    return send


def _page(text: str, policy: str) -> HTMLResponse:
    return HTMLResponse(text, headers={"Content-Security-Policy": policy})


def _sender(file: Path) -> Callable[[], Awaitable[FileResponse]]:
    async def send() -> FileResponse:
        return FileResponse(file)

    return send
