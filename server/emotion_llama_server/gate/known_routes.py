"""Admits only requests for a route and a method that exist."""

from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emotion_llama_server import paths
from emotion_llama_server.errors import path_of
from emotion_llama_server.gate.caller import refuse
from emotion_llama_server.shortening import printable

_READING = frozenset({"GET"})
_COMMON = frozenset({"GET", "POST", "OPTIONS"})
"""The methods that the app may see for unknown paths; it labels its metrics with them."""


class Routes:
    """Answers 404 and 405 before a request takes a slot, and HEAD wherever GET is answered.

    Args:
        app: the inner layers, for requests that a route answers.
        router: the app alone, which refuses or redirects requests for unknown paths.
    """

    def __init__(self, app: ASGIApp, router: ASGIApp) -> None:
        self._app, self._router = app, router

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            scope, send = {**scope, "method": "GET"}, _without_body(send)
        answered = answered_methods(scope)
        if scope["method"] in answered:
            await self._app(scope, receive, send)
        elif not answered and scope["method"] in _COMMON:
            await self._router(scope, receive, send)
        else:
            allow = ", ".join(_with_head(answered or _COMMON))
            asked = f"{printable(scope['method'])} {printable(path_of(scope))}"
            words = f"No {asked} here: use {allow}."
            error = HTTPException(405, words, {"Allow": allow})
            await refuse(scope, receive, send, error=error, reason="method")


def answered_methods(scope: Scope) -> frozenset[str]:
    """Return the methods that the routes of a path answer; the set is empty for an unknown path."""
    if paths.is_open(path_of(scope)):
        return _READING
    methods: set[str] = set()
    for route in scope["app"].router.routes:
        match, _ = route.matches(scope)
        if match is Match.NONE:
            continue
        # A mounted app (the metrics) names no methods and treats all of them alike.
        is_read_only = getattr(route, "path", None) in paths.READ_ONLY
        methods |= (not is_read_only and getattr(route, "methods", None)) or _READING
    return frozenset(methods)


def _with_head(methods: frozenset[str]) -> list[str]:
    return sorted(methods | {"HEAD"} if "GET" in methods else methods)


def _without_body(send: Send) -> Send:
    """Send the head of the GET response without its body."""

    async def send_head(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return send_head
