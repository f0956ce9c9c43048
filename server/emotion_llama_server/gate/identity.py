"""Adds a request id and security headers to every response, and logs every request.

This is the outermost layer.
"""

import logging
import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emotion_llama_server import paths
from emotion_llama_server.errors import path_of
from emotion_llama_server.gate.address import Networks, client_address
from emotion_llama_server.gate.caller import TOKEN_PREFIX, Caller, caller_of, set_caller
from emotion_llama_server.logger import logger
from emotion_llama_server.shortening import printable
from emotion_llama_vllm import metrics

access = logger.getChild("access")

_HEADER = "x-request-id"
_ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{1,128}")
_SECURITY = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
}
MAX_HOLDERS = 256
"""The maximum number of holders of access tokens that have metrics of their own."""
OTHERS = "(others)"
"""The label of all further holders; no key and no holder can have this name."""
_NO_PAGE = "default-src 'none'; frame-ancestors 'none'"


class Identity:
    """Names each request and its caller.

    Args:
        app: the inner app.
        trusted_proxies: the networks whose `X-Forwarded-For` is trusted.
    """

    def __init__(self, app: ASGIApp, trusted_proxies: Networks) -> None:
        self._app, self._trusted = app, trusted_proxies
        self._labels = Labels()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = _request_id(headers)
        set_caller(scope, Caller(request_id, client_address(scope, headers, self._trusted)))
        # vLLM takes its own request id from this header.
        rest = [(name, value) for name, value in scope["headers"] if name != _HEADER.encode()]
        scope["headers"] = [*rest, (_HEADER.encode(), request_id.encode())]
        answer = _Answer(scope, send, self._labels)
        try:
            await self._app(scope, receive, answer)
        finally:
            answer.log()


class _Answer:
    """Adds the headers to a response, and writes the request's line to the log."""

    def __init__(self, scope: Scope, send: Send, labels: "Labels") -> None:
        self._scope, self._send, self._labels = scope, send, labels
        self._started = time.monotonic()
        self.status = 0
        """The status; 0 until the response begins, and for a client that left before."""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(raw=message["headers"])
            headers[_HEADER] = caller_of(self._scope).request_id
            headers.update(_SECURITY)
            if not headers.get("content-type", "").startswith("text/html"):
                headers["content-security-policy"] = _NO_PAGE
        await self._send(message)

    def log(self) -> None:
        """Count and log the request; text from the client is escaped."""
        caller, scope = caller_of(self._scope), self._scope
        # 499 is nginx's status for a client that disconnected.
        status = self.status or 499
        route, seconds = paths.label(path_of(scope)), time.monotonic() - self._started
        key = self._labels.of(caller.key or "")
        metrics.requests.labels(key, route, str(status)).inc()
        metrics.request_seconds.labels(route).observe(seconds)
        fields = {
            "request_id": caller.request_id,
            "client": caller.address,
            "key": caller.key or "-",
            "method": printable(scope["method"]),
            "path": printable(path_of(scope)),
            "status": status,
            "milliseconds": round(seconds * 1000, 1),
        }
        # A browser asks for each of the page's files whenever it opens the page.
        is_routine = route == paths.PAGE_FILE and status in (200, 206, 304)
        access.log(
            logging.DEBUG if is_routine else logging.INFO,
            "%(method)s %(path)s %(status)s %(milliseconds)s ms client=%(client)s key=%(key)s "
            "request_id=%(request_id)s",
            fields,
            extra=fields,
        )


class Labels:
    """Limits the names in the metrics, which keep each one until the server ends.

    The file of keys limits the names of keys. An OpenID provider may have any number of users.
    """

    def __init__(self) -> None:
        self._holders: set[str] = set()

    def of(self, name: str) -> str:
        """Return the label of a name: itself for keys and for the first holders of tokens."""
        if not name.startswith(TOKEN_PREFIX) or name in self._holders:
            return name
        if len(self._holders) >= MAX_HOLDERS:
            return OTHERS
        self._holders.add(name)
        return name


def _request_id(headers: Headers) -> str:
    """Return the client's own id if its form is acceptable, otherwise a new one."""
    given = headers.get(_HEADER, "")
    return given if _ACCEPTABLE.fullmatch(given) else uuid.uuid4().hex
