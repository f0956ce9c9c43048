"""Limits how often a key or an address may request work."""

import limits
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from emotion_llama_server.gate.caller import caller_of, is_work, line_key, owner_of, refuse
from emotion_llama_server.gate.rate_storage import RETRY_SECONDS, Start, Storage, StorageFailure
from emotion_llama_vllm.metrics import Reason


class RateLimit:
    """Refuses requests over the rate with 429 and `Retry-After`.

    Args:
        app: the inner app.
        rate: the allowed number of requests in a time, for example `10/minute`.
        storage: the counter, for example `memory://`; replicas that share one count together.
        fails_open: whether requests pass uncounted while the storage fails; otherwise they are
            refused with 503.
        start: starts a task of the server.
    """

    def __init__(
        self, app: ASGIApp, rate: str, storage: str, *, fails_open: bool, start: Start
    ) -> None:
        self._app, self._rate, self._fails_open = app, limits.parse(rate), fails_open
        self._storage = Storage(self._rate, storage, start)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A batch is one request; its lines wait for all others.
        if scope["type"] == "http" and is_work(scope) and line_key(scope) is None:
            refusal = await self._refusal(owner_of(caller_of(scope)))
            if refusal is not None:
                error, reason = refusal
                await refuse(scope, receive, send, error=error, reason=reason)
                return
        await self._app(scope, receive, send)

    async def _refusal(self, owner: str) -> tuple[HTTPException, Reason] | None:
        """Return the error of the owner's request, and its name in the metrics, or None."""
        try:
            wait = await self._storage.count(owner)
        except StorageFailure:
            if self._fails_open:
                return None
            words = "The server cannot count requests now, and refuses them; try again."
            return HTTPException(503, words, {"Retry-After": str(RETRY_SECONDS)}), "storage"
        if not wait:
            return None
        words = f"The request is over the rate limit of {self._rate}; try again in {wait} s."
        return HTTPException(429, words, {"Retry-After": str(wait)}), "rate"
