"""Writes the text that the terminal shows when the server is ready."""

import json
import os
import re
import shlex
import ssl
from argparse import Namespace
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from emotion_llama import __version__
from emotion_llama_server import paths
from emotion_llama_server.services import services_of
from emotion_llama_vllm import demo_files
from emotion_llama_vllm.settings import media_settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from emotion_llama_server.settings import ServerSettings
    from emotion_llama_server.start.options import StartOptions

_KEY = "$EMOTION_LLAMA_API_KEY"
_FIRST = (paths.EMOTION, paths.CHAT, paths.MODELS)
_WORDS = {
    paths.HEALTH: "Check that the engine works.",
    paths.METRICS: "Return metrics for Prometheus.",
    paths.PING: f"Do the same as {paths.HEALTH}.",
    paths.CHAT: "Chat about a clip with OpenAI's API.",
    paths.VERSION: "Return vLLM's version.",
}
"""The descriptions of routes whose function has no docstring, or one that is useless here."""

_CONVERTER = re.compile(r":\w+}")
"""The end of a path's parameter that says what Starlette matches, as in `{model:path}`."""

_CLIPS = (".mp4", ".webm", ".mov", ".mkv", ".avi")
_MOST_FILES = 1000
"""The maximum number of files in a media root that are searched for an example."""


@dataclass(frozen=True)
class Place:
    """Holds the two base URLs that a client on this machine uses."""

    base: str
    legacy: str

    @classmethod
    def of(cls, args: Namespace, legacy_port: int) -> "Place":
        """Make the URLs of vLLM's flags and the second port."""
        scheme = "https" if args.ssl_certfile else "http"
        host = url_host(args.host)
        return cls(f"{scheme}://{host}:{args.port}", f"{scheme}://{host}:{legacy_port}")


def banner(args: Namespace, app: "FastAPI") -> str:
    """Return the text, which ends with a command that sends the server a request."""
    services = services_of(app)
    place, options = Place.of(args, services.settings.legacy_port), services.options
    rows = [
        ("in a browser", _pages(place, services.settings.no_page)),
        ("clips", _clips()),
        *([("files", _kept(services.settings))] if services.storage else []),
        ("API keys", _keys(options)),
        *_transcripts(services.settings),
        ("to stop", f"Ctrl+C here, or `kill {os.getpid()}`"),
    ]
    return "\n".join(
        [
            f"\nEmotion-LLaMA Server {__version__} serves {services.models.model_name()}.",
            f"{services.card.description}\n",
            *(f"  {route:<30}{words}" for route, words in routes(app)),
            f"  ({place.legacy} answers the same.)\n",
            *(f"  {what:<14}{words}" for what, words in rows),
            f"\nTry it{_where_the_key_is(options)}:\n  {_curl(args, place, options)}\n",
        ]
    )


def url_host(host: str) -> str:
    """Return the host that a client on this machine uses for the server's address."""
    here = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"[{here}]" if ":" in here else here


def routes(app: "FastAPI") -> list[tuple[str, str]]:
    """Return each route with a line on its purpose, the most important ones first."""
    found: dict[str, tuple[str, str]] = {}
    for route in app.router.routes:
        path = getattr(route, "path", "").rstrip("/") or "/"
        if getattr(route, "include_in_schema", True) and path not in found:
            shown = _CONVERTER.sub("}", route.path)  # type: ignore[attr-defined]
            found[path] = (f"{_methods(route):<5}{shown}", _about(path, route))
    return [found[path] for path in sorted(found, key=_rank)]


def _rank(path: str) -> tuple[int, str]:
    """Return the sort key of a route: our routes for work first, read-only routes last."""
    if path in _FIRST:
        return _FIRST.index(path), path
    return (len(_FIRST) + (path in paths.READ_ONLY), path)


def _methods(route: object) -> str:
    methods = getattr(route, "methods", None) or {"GET"}
    return "GET" if "GET" in methods else ", ".join(sorted(methods))


def _about(path: str, route: object) -> str:
    if path in _WORDS:
        return _WORDS[path]
    return (getattr(route, "description", "") or "vLLM's.").splitlines()[0]


def _pages(place: Place, no_page: bool) -> str:
    docs = f"{place.base}{paths.DOCS}"
    return docs if no_page else f"{place.base}{paths.HOME}   {docs}"


def _clips() -> str:
    roots = ", ".join(str(root) for root in media_settings().media_root)
    if roots:
        return f"from {roots}, or uploaded"
    return "uploads only; start with --media-root DIR to let requests name files in DIR"


def _kept(settings: "ServerSettings") -> str:
    days = f"{settings.keep_days} day{'s' if settings.keep_days > 1 else ''}"
    return f"uploads and results of batches are kept in {settings.data_dir}, for up to {days}"


def _keys(options: "StartOptions") -> str:
    accepted = sorted(options.keys.names)
    if (issuer := options.settings.oidc_issuer) is not None:
        accepted.append(f"access tokens of {issuer}")
    if accepted:
        return f"needed: {', '.join(accepted)}"
    return "none: anyone who reaches these ports may send requests"


def _transcripts(settings: "ServerSettings") -> list[tuple[str, str]]:
    """Return the row that says where sound goes, if it leaves the server."""
    if settings.transcriber_url is None:
        return []
    which = "each clip" if settings.transcribe == "auto" else "clips of `transcribe: true`"
    return [("transcripts", f"the sound of {which} goes to {settings.transcriber_url}")]


def _where_the_key_is(options: "StartOptions") -> str:
    return f", with your key in the variable {_KEY[1:]}" if options.needs_key else ""


def _curl(args: Namespace, place: Place, options: "StartOptions") -> str:
    """Return a shell command that works without changes."""
    words = [f"curl {shlex.quote(f'{place.base}{paths.EMOTION}')}", *_trust(args)]
    if options.needs_key:
        words.append(f'-H "Authorization: Bearer {_KEY}"')
    if (clip := next(_clips_in_roots(), None)) is not None:
        body = shlex.quote(json.dumps({"video": clip}))
        words.append(f"-H 'Content-Type: application/json' -d {body}")
    else:
        file = demo_files.clips() / "happy_face.mp4"
        words.append("-F " + shlex.quote(f"video=@{file}"))
    return " \\\n    ".join(words)


def _clips_in_roots() -> Iterator[str]:
    """Yield clips by the names that requests may use."""
    for root in media_settings().media_root:
        with os.scandir(root) as entries:
            names = sorted(entry.name for entry in islice(entries, _MOST_FILES))
        yield from (name for name in names if name.lower().endswith(_CLIPS) and name.isascii())


def _trust(args: Namespace) -> list[str]:
    """Return the options with which curl trusts the server's certificate, whoever issued it."""
    if not args.ssl_certfile:
        return []
    if _vouches(args.ssl_certfile, args.ssl_keyfile, url_host(args.host).strip("[]")):
        return [f"--cacert {shlex.quote(str(Path(args.ssl_certfile).absolute()))}"]
    return ["--insecure"]


def _vouches(certificate: str, key: str | None, host: str) -> bool:
    """Return whether a client that trusts only this file accepts the server under this name."""
    here, there = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    here.load_cert_chain(certificate, key)
    there.load_verify_locations(certificate)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = here.wrap_bio(to_server, to_client, server_side=True)
    client = there.wrap_bio(to_client, to_server, server_hostname=host)
    for side in (client, server, client):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLError:
            return False
    return True
