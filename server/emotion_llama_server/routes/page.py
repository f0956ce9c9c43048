"""Serves the page for people: `/` and the files that it loads, from `/page/`.

Which files exist and what they hold is fixed at the start. `/` names its modules and styles below
`/page/VERSION/`, and browsers keep those: who comes again asks for `/` and what a view shows, not
for each of 190 files. During an upgrade of replicas, the page of one version may ask a server of
another one: it gets this server's files, which browsers then do not keep.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath

from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse
from starlette.exceptions import HTTPException

from emotion_llama_server import paths
from emotion_llama_vllm import demo_files

_PACKAGE = Path(__file__).parent.parent
_CHECKOUT = _PACKAGE.parent.parent

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".jpg": "image/jpeg",
    ".mp4": "video/mp4",
}
"""The content types by ending; those of the machine may be wrong, and browsers obey them."""

_NOT_SERVED = ("node_modules", "test")
_INDEX = "index.html"
_VERSIONED = re.compile("^[0-9a-f]{32}/")

_ASKED_EACH_TIME = {"Cache-Control": "no-cache"}
_KEPT = {"Cache-Control": "public, max-age=31536000, immutable"}
_OF_INDEX = {
    "Content-Security-Policy": (
        "default-src 'self'; media-src 'self' blob:; object-src 'none'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
        "trusted-types lit-html"
    ),
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(), geolocation=()",
}


@dataclass(frozen=True)
class _File:
    """Holds the headers of a file, and what makes the response with all of it."""

    headers: dict[str, str]
    whole: Callable[[], Response]

    def response(self, request: Request) -> Response:
        """Return the file, or 304 if the browser already has it."""
        known = request.headers.get("if-none-match", "").split(",")
        if self.headers["ETag"] in [tag.strip().removeprefix("W/") for tag in known]:
            return Response(status_code=304, headers=self.headers)
        return self.whole()


def folder() -> Path:
    """Return the folder of the page's files, in the wheel or in the checkout."""
    packaged = _PACKAGE / "page"
    return packaged if packaged.exists() else _CHECKOUT / "clients/page"


def files_in(page: Path) -> Iterator[Path]:
    """Yield the files below a folder that browsers load."""
    for path in sorted(page.iterdir()):
        if path.is_dir() and path.name not in _NOT_SERVED:
            yield from files_in(path)
        elif path.suffix in _TYPES:
            yield path


def install(app: FastAPI, page: Path) -> None:
    """Add the page to the app.

    Args:
        app: the server's app.
        page: the folder of the page's files, which are read now.
    """
    contents = {path.relative_to(page).as_posix(): path.read_bytes() for path in files_in(page)}
    version = _version(contents)
    index = _index(contents.pop(_INDEX), version)
    files = {name: _file(name, content, _ASKED_EACH_TIME) for name, content in contents.items()}
    files |= {f"{version}/{name}": _file(name, contents[name], _KEPT) for name in contents}
    files |= {f"samples/{path.name}": _sample(path) for path in demo_files.clips().glob("*.mp4")}

    async def send_index(raw_request: Request) -> Response:
        return index.response(raw_request)

    async def send_file(file: str, raw_request: Request) -> Response:
        found = files.get(file) or files.get(_VERSIONED.sub("", file))
        if found is None:
            raise HTTPException(404)
        return found.response(raw_request)

    app.add_api_route(paths.HOME, send_index, include_in_schema=False)
    app.add_api_route(paths.PAGE_FILE, send_file, include_in_schema=False)


def _version(contents: dict[str, bytes]) -> str:
    """Return what changes with any file: its name, or what it holds."""
    return _digest("".join(f"{name} {_digest(contents[name])}\n" for name in contents).encode())


def _index(content: bytes, version: str) -> _File:
    """Return `index.html`, whose links lead to the files of this version."""
    linked = content.replace(b'="page/', f'="page/{version}/'.encode())
    return _file(_INDEX, linked, _ASKED_EACH_TIME | _OF_INDEX)


def _file(name: str, content: bytes, more: dict[str, str]) -> _File:
    headers = _headers(name, content) | more
    return _File(headers, lambda: Response(content, headers=headers))


def _sample(path: Path) -> _File:
    """Return a clip, of which browsers also ask for parts."""
    headers = _headers(path.name, path.read_bytes()) | _ASKED_EACH_TIME
    return _File(headers, lambda: FileResponse(path, headers=headers))


def _headers(name: str, content: bytes) -> dict[str, str]:
    # The time of a file says nothing: it is the same in all wheels.
    return {"Content-Type": _TYPES[PurePath(name).suffix], "ETag": f'"{_digest(content)}"'}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]
