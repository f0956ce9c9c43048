"""Counts requests for the rate limit, in this process or in a storage that replicas share."""

import asyncio
import math
import time
import uuid
from collections.abc import Callable, Coroutine
from typing import Any

import limits
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError

from emotion_llama_server.logger import logger
from emotion_llama_vllm import metrics

ANSWER_SECONDS = 0.5
"""Seconds after which an unanswered storage counts as failed."""
CHECK_SECONDS = 5
"""Seconds for a check, which may have to connect first and for which no request waits."""
RETRY_SECONDS = 1
"""Seconds between two checks of a failed storage."""
_CLOCKS_DIFFER_SECONDS = 1
"""The possible difference in seconds between the clocks of replicas that share a storage."""
_MOST_WORDS = 200

Start = Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]


class StorageFailure(Exception):
    """Reports that the storage cannot count requests, without its address or password."""


class Storage:
    """Counts requests, and does not use a failed storage until it works again.

    Meanwhile no request waits for the storage: a background task tries it again.

    Args:
        rate: the allowed number of requests in a time, for example `10/minute`.
        uri: the storage, for example `memory://` or `redis://host:6379`.
        start: starts the task that tries a failed storage again.
    """

    def __init__(
        self, rate: limits.RateLimitItem, uri: str, start: Start = asyncio.create_task
    ) -> None:
        self._start = start
        store = limits.storage.storage_from_string(f"async+{uri}", wrap_exceptions=True)
        self._rate, self._limiter = rate, MovingWindowRateLimiter(store)
        self._recovery: asyncio.Task[None] | None = None

    async def count(self, owner: str) -> int:
        """Count a request; return 0, or the seconds to wait if it is over the owner's rate.

        Raises:
            StorageFailure: the storage fails now or has failed before.
        """
        if self._recovery is not None:
            raise StorageFailure("it has failed before")
        try:
            return await self._ask(owner, ANSWER_SECONDS)
        except StorageFailure as failure:
            if self._recovery is None:
                metrics.rate_limit_storage_up.set(0)
                logger.warning("The rate limit's storage has failed: %s.", failure)
                self._recovery = self._start(self._recover())
            raise

    async def check(self) -> None:
        """Count a request without an owner, to test that the storage can be reached and written.

        Raises:
            StorageFailure: the storage fails.
        """
        await self._ask(f"check:{uuid.uuid4().hex}", CHECK_SECONDS)

    async def _recover(self) -> None:
        while True:
            await asyncio.sleep(RETRY_SECONDS)
            try:
                await self.check()
            except StorageFailure:
                continue
            break
        self._recovery = None
        metrics.rate_limit_storage_up.set(1)
        logger.warning("The rate limit's storage works again.")

    async def _ask(self, owner: str, seconds: float) -> int:
        try:
            async with asyncio.timeout(seconds):
                return await self._hit(owner)
        except Exception as error:  # any error of the storage's driver
            metrics.rate_limit_storage_errors.inc()
            raise StorageFailure(_words(error, seconds)) from error

    async def _hit(self, owner: str) -> int:
        if await self._limiter.hit(self._rate, owner):
            return 0
        stats = await self._limiter.get_window_stats(self._rate, owner)
        wait = stats.reset_time - time.time()
        if wait > self._rate.get_expiry() + _CLOCKS_DIFFER_SECONDS:
            # The clock was set back: the counted requests lie in the future and would never expire.
            await self._limiter.clear(self._rate, owner)
            await self._limiter.hit(self._rate, owner)
            return 0
        return max(1, math.ceil(wait))


def _words(error: BaseException, seconds: float) -> str:
    """Return the error of a storage's driver in one line."""
    if isinstance(error, StorageError) and error.__cause__ is not None:
        return _words(error.__cause__, seconds)
    if isinstance(error, TimeoutError):
        return f"it does not answer within {seconds:g} s"
    return " ".join(f"{type(error).__name__}: {error}".split())[:_MOST_WORDS].rstrip(".: ")
