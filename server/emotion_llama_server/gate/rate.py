"""The rate limit: how often a key, or an address, may ask for work."""

import math
import time

import limits
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send
from vllm.logger import init_logger

from emotion_llama_server.gate.scope import caller_of, is_work, owner_of, refuse

logger = init_logger("vllm.emotion_llama_server")


class RateLimit:
    """Refuses with 429 and `Retry-After`.

    Args:
        app: what is inside.
        rate: as `10/minute`.
        storage: where requests are counted, as `memory://`; replicas that share one count together.
    """

    def __init__(self, app: ASGIApp, rate: str, storage: str) -> None:
        self._app, self._rate = app, limits.parse(rate)
        store = limits.storage.storage_from_string(f"async+{storage}", wrap_exceptions=True)
        self._limiter = MovingWindowRateLimiter(store)  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_work(scope):
            await self._app(scope, receive, send)
            return
        wait = await self._seconds_to_wait(owner_of(caller_of(scope)))
        if wait:
            words = f"Over the rate limit of {self._rate}; try again in {wait} s."
            error = HTTPException(429, words, {"Retry-After": str(wait)})
            await refuse(scope, receive, send, error=error, reason="rate")
            return
        await self._app(scope, receive, send)

    async def _seconds_to_wait(self, who: str) -> int:
        """0 to go ahead; so it is too while the storage is away, as no count is no refusal."""
        try:
            if await self._limiter.hit(self._rate, who):
                return 0
            stats = await self._limiter.get_window_stats(self._rate, who)
        except StorageError:
            logger.exception("The rate limit's storage does not answer; requests are not counted.")
            return 0
        return max(1, math.ceil(stats.reset_time - time.time()))
