"""Fetches the public keys of an OpenID provider, in limited time and of limited size."""

import asyncio
import ssl
from functools import cache
from typing import TypeVar

import httpx2
from pydantic import BaseModel, ValidationError

from emotion_llama.connection import Connection
from emotion_llama.errors import InvalidSettings
from emotion_llama_server.gate.oidc.signing_keys import JwkSet, SigningKey, signing_keys
from emotion_llama_server.settings import is_https, is_local_http
from emotion_llama_server.shortening import shortened

DISCOVERY = "/.well-known/openid-configuration"
FETCH_SECONDS = 5
"""Seconds for both documents of a provider."""
MAX_BYTES = 256 << 10
"""The maximum size of each document in bytes; the usual ones have a few thousand."""

_T = TypeVar("_T", bound=BaseModel)


class IssuerError(Exception):
    """Reports why a provider's keys cannot be fetched, in words that follow a colon."""


class IssuerAway(IssuerError):
    """Reports that the provider does not answer now."""


class IssuerWrong(IssuerError):
    """Reports an answer that a provider with the given address does not send."""


class Discovery(BaseModel):
    """Represents the fields of a provider's description that are needed here."""

    issuer: str
    jwks_uri: str


@cache
def _authorities() -> ssl.SSLContext:
    """Return the trusted certificates, which take 20 ms to load."""
    return httpx2.create_ssl_context()


class Issuer:
    """Represents an OpenID provider.

    Args:
        url: its issuer, which is the `iss` of its tokens and the beginning of its address.

    Raises:
        IssuerWrong: the environment names a proxy for it that cannot be used.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            proxy = Connection.to(url).proxy
        except InvalidSettings as error:
            raise IssuerWrong(str(error).rstrip(".")) from error
        self._http = httpx2.AsyncClient(
            proxy=proxy,
            trust_env=False,  # the proxy is known, and a provider needs no password of ~/.netrc
            verify=_authorities(),
            headers={"Accept": "application/json", "Accept-Encoding": "identity"},
            timeout=None,  # one deadline bounds both requests
        )

    async def fetch_keys(self) -> dict[str, SigningKey]:
        """Fetch the provider's description and its keys, and return the keys by their ids.

        Raises:
            IssuerError: the keys cannot be fetched.
        """
        try:
            async with asyncio.timeout(FETCH_SECONDS):
                return await self._fetch()
        except IssuerError:
            raise
        except TimeoutError as error:
            words = f"{self.url} does not answer within {FETCH_SECONDS:g} s"
            raise IssuerAway(words) from error
        except Exception as error:  # any error of the network and its libraries
            raise _unreachable(self.url, error) from error

    async def _fetch(self) -> dict[str, SigningKey]:
        found = await self._read(self.url.rstrip("/") + DISCOVERY, Discovery)
        if found.issuer != self.url:
            raise IssuerWrong(f"the provider there has the issuer {shortened(found.issuer)!r}")
        if not is_https(found.jwks_uri) and not (
            is_local_http(found.jwks_uri) and is_local_http(self.url)
        ):
            raise IssuerWrong(f"its keys are not behind https: {shortened(found.jwks_uri)!r}")
        published = await self._read(found.jwks_uri, JwkSet)
        keys = await asyncio.to_thread(signing_keys, published)
        if not keys:
            raise IssuerWrong(f"{shortened(found.jwks_uri)} has no key that verifies tokens")
        return keys

    async def _read(self, url: str, kind: type[_T]) -> _T:
        """Return a JSON document; redirections are not followed."""
        async with self._http.stream("GET", url) as response:
            status = response.status_code
            if status != 200:
                kind_of_error = IssuerAway if status == 429 or status >= 500 else IssuerWrong
                raise kind_of_error(f"{shortened(url)} answers with status {status}")
            body = bytearray()
            async for piece in response.aiter_raw():
                body += piece
                if len(body) > MAX_BYTES:
                    raise IssuerWrong(f"{shortened(url)} answers with over {MAX_BYTES >> 10} KiB")
        try:
            return kind.model_validate_json(bytes(body))
        except ValidationError as error:
            raise IssuerWrong(f"{shortened(url)} is no document of a provider") from error


def _unreachable(url: str, error: BaseException) -> IssuerError:
    """Return what an error of the network means; only that of a certificate will not pass."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return IssuerWrong(
                f"{url} has a certificate that is not trusted ({cause.verify_message}); "
                "the variable SSL_CERT_FILE can name a file of authorities"
            )
        cause = cause.__cause__ or cause.__context__
    words = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(".: ")
    return IssuerAway(f"{url} cannot be reached ({shortened(words)})")
