"""Adds a request id and security headers to every response, and logs every request.

This is the outermost layer.
"""

import re
import time
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emotion_llama_server.errors import path_of
from emotion_llama_server.gate.address import Networks, client_address
from emotion_llama_server.gate.caller import Caller, caller_of, set_caller
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
_NO_PAGE = "default-src 'none'; frame-ancestors 'none'"


class Identity:
    """Names each request and its caller.

    Args:
        app: the inner app.
        trusted_proxies: the networks whose `X-Forwarded-For` is trusted.
    """

    def __init__(self, app: ASGIApp, trusted_proxies: Networks) -> None:
        self._app, self._trusted = app, trusted_proxies

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
        answer = _Answer(scope, send)
        try:
            await self._app(scope, receive, answer)
        finally:
            answer.log()


class _Answer:
    """Adds the headers to a response, and writes the request's line to the log."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope, self._send = scope, send
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
        metrics.requests.labels(caller.key or "", str(status)).inc()
        fields = {
            "request_id": caller.request_id,
            "client": caller.address,
            "key": caller.key or "-",
            "method": printable(scope["method"]),
            "path": printable(path_of(scope)),
            "status": status,
            "milliseconds": round((time.monotonic() - self._started) * 1000, 1),
        }
        access.info(
            "%(method)s %(path)s %(status)s %(milliseconds)s ms client=%(client)s key=%(key)s "
            "request_id=%(request_id)s",
            fields,
            extra=fields,
        )


def _request_id(headers: Headers) -> str:
    """Return the client's own id if its form is acceptable, otherwise a new one."""
    given = headers.get(_HEADER, "")
    return given if _ACCEPTABLE.fullmatch(given) else uuid.uuid4().hex
