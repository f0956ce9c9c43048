"""Keeps the public keys of an OpenID provider current."""

import asyncio
import math

from emotion_llama_server.gate.oidc.issuer import Issuer, IssuerError
from emotion_llama_server.gate.oidc.signing_keys import SigningKey
from emotion_llama_server.gate.rate_storage import Start
from emotion_llama_server.logger import logger
from emotion_llama_vllm import metrics

CURRENT_SECONDS = 300
"""Seconds after which the keys are fetched again, so that withdrawn ones stop counting."""
PAUSE_SECONDS = 10
"""Seconds from the end of a fetch to the next one that an unknown key or a failure causes."""


class KeyCache:
    """Holds the keys of one provider for all requests.

    A request with a known key never waits for the provider. Unknown keys, which anybody can make
    up, cause at most one fetch in `PAUSE_SECONDS`. While the provider fails, its last keys count.

    Args:
        issuer: the provider.
        start: starts the tasks that fetch the keys.
    """

    def __init__(self, issuer: Issuer, start: Start) -> None:
        self.issuer, self._start = issuer, start
        self._keys: dict[str, SigningKey] = {}
        self._failure: str | None = None
        self._fetched_at = -math.inf
        self._fetching: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None

    async def find(self, kid: str) -> SigningKey | None:
        """Return the key with this id, or None if the provider does not have it.

        Raises:
            IssuerError: the key is unknown, and the provider cannot be asked for it.
        """
        if self._watching is None:
            self._watching = self._start(self._keep_current())
        if kid not in self._keys and self._may_fetch():
            await asyncio.wait({self._fetch_once()})
        key = self._keys.get(kid)
        if key is None and self._failure is not None:
            raise IssuerError(self._failure)
        return key

    def _may_fetch(self) -> bool:
        """Return whether a fetch is running, or the pause after the last one is over."""
        is_running = self._fetching is not None and not self._fetching.done()
        return is_running or self._age() >= PAUSE_SECONDS

    async def _keep_current(self) -> None:
        while True:
            if self._failure is not None or self._age() >= CURRENT_SECONDS:
                await asyncio.wait({self._fetch_once()})
            await asyncio.sleep(PAUSE_SECONDS)

    def _age(self) -> float:
        """Return the seconds since the last fetch ended."""
        return asyncio.get_running_loop().time() - self._fetched_at

    def _fetch_once(self) -> asyncio.Task[None]:
        """Return the running fetch, which all requests share, or start one."""
        if self._fetching is None or self._fetching.done():
            self._fetching = self._start(self._fetch())
        return self._fetching

    async def _fetch(self) -> None:
        try:
            self._keys = await self.issuer.fetch_keys()
        except IssuerError as failure:
            if self._failure is None:
                words = "Keys for access tokens cannot be fetched; the known ones still count: %s."
                logger.warning(words, failure)
            self._failure = str(failure)
        else:
            if self._failure is not None:
                logger.warning("Keys for access tokens can be fetched again.")
            self._failure = None
        metrics.oidc_issuer_up.set(self._failure is None)
        self._fetched_at = asyncio.get_running_loop().time()
