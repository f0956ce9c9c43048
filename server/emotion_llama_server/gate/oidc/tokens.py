"""Verifies access tokens, and names their holders."""

from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote

import jwt
from starlette.exceptions import HTTPException

from emotion_llama_server.gate.caller import TOKEN_PREFIX
from emotion_llama_server.gate.oidc.issuer import Issuer, IssuerError
from emotion_llama_server.gate.oidc.key_cache import PAUSE_SECONDS, KeyCache
from emotion_llama_server.gate.oidc.signing_keys import SigningKey
from emotion_llama_server.gate.rate_storage import Start
from emotion_llama_server.settings import ServerSettings

SKEW_SECONDS = 30
"""The possible difference in seconds between the clocks of the provider and this server."""
_TYPES = (None, "jwt", "at+jwt", "application/at+jwt")
"""The types of access tokens. Providers sign messages of other types with the same keys."""
_MAX_NAME = 255
"""The maximum number of characters in a name; OpenID Connect limits `sub` to as many."""
_WORDS: dict[type[Exception], str] = {
    jwt.ExpiredSignatureError: "has expired; get a new one",
    jwt.ImmatureSignatureError: "is not valid yet; compare the clocks",
    jwt.InvalidAudienceError: "is for another audience",
    jwt.InvalidIssuerError: "is from another issuer",
}
"""What is wrong with a token whose signature is right."""


@dataclass(frozen=True)
class Holder:
    """Describes who holds a valid token."""

    name: str
    """`oidc:` and the name's claim, in ASCII without spaces; no name of a key has a colon."""
    refusal: HTTPException | None = None
    """The error of all requests with the token if it has not the scope that the server needs."""


class TokenError(HTTPException):
    """Refuses a token that is not valid."""

    code = "invalid_token"

    def __init__(self, words: str = "is not valid") -> None:
        challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        super().__init__(401, f"The access token {words}.", challenge)


class Tokens:
    """Verifies the tokens of one provider for one audience.

    Args:
        cache: the provider's keys.
        audience: the text that `aud` must be or contain.
        scope: the scope that a token must have, if any.
        name_claim: the claim that names the holder.
    """

    def __init__(
        self, cache: KeyCache, *, audience: str, scope: str | None, name_claim: str
    ) -> None:
        self._cache, self._audience = cache, audience
        self._scope, self._name_claim = scope, name_claim

    @classmethod
    def of(cls, settings: ServerSettings, start: Start) -> Self | None:
        """Return what verifies tokens as the settings say, or None if they name no provider.

        Args:
            settings: the operator's settings.
            start: starts the tasks that fetch the provider's keys.
        """
        url, audience = settings.oidc_issuer, settings.oidc_audience
        if url is None or audience is None:
            return None
        return cls(
            KeyCache(Issuer(url), start),
            audience=audience,
            scope=settings.oidc_scope,
            name_claim=settings.oidc_name_claim,
        )

    async def holder(self, token: bytes) -> Holder:
        """Return the holder of a valid token.

        Raises:
            TokenError: the token is not valid.
            HTTPException: its key is unknown, and the provider cannot be asked (503).
        """
        try:
            key = await self._cache.find(_key_id(token))
        except IssuerError as error:
            words = "The provider of access tokens does not answer; try again."
            raise HTTPException(503, words, {"Retry-After": str(PAUSE_SECONDS)}) from error
        if key is None:
            raise TokenError("is signed with an unknown key; get a new one")
        claims = self._verify(token, key)
        name = _name(claims, self._name_claim)
        if self._scope is None or self._scope in _scopes(claims):
            return Holder(name)
        return Holder(name, _lacking(self._scope))

    def _verify(self, token: bytes, key: SigningKey) -> dict[str, Any]:
        """Return the claims of a token after all checks but that of the scope."""
        try:
            return jwt.decode(
                token,
                key.public,
                algorithms=key.algorithms,
                audience=self._audience,
                issuer=self._cache.issuer.url,
                leeway=SKEW_SECONDS,
                options={
                    "require": ["exp", "iss", "aud", self._name_claim],
                    "enforce_minimum_key_length": True,
                },
            )
        except jwt.MissingRequiredClaimError as error:
            raise TokenError(f"has no `{error.claim}`") from error
        except Exception as error:  # whatever a token makes of the library, it is refused
            raise TokenError(_WORDS.get(type(error), "is not valid")) from error


def _key_id(token: bytes) -> str:
    """Return the id of the key that a token names, before anything in it is verified."""
    try:
        header = jwt.get_unverified_header(token)
        kid, kind = header.get("kid"), header.get("typ")
    except Exception as error:  # a stranger wrote it
        raise TokenError from error
    if not isinstance(kid, str) or (kind.lower() if isinstance(kind, str) else kind) not in _TYPES:
        raise TokenError
    return kid


def _lacking(scope: str) -> HTTPException:
    challenge = f'Bearer error="insufficient_scope", scope="{scope}"'
    words = f"The access token has not the scope {scope}."
    return HTTPException(403, words, {"WWW-Authenticate": challenge})


def _scopes(claims: dict[str, Any]) -> list[Any]:
    """Return the scopes of a token: `scope` of RFC 9068, or `scp` of other providers."""
    given = claims.get("scope", claims.get("scp"))
    if isinstance(given, str):
        return given.split()
    return given if isinstance(given, list) else []


def _name(claims: dict[str, Any], claim: str) -> str:
    """Return the holder's name with everything escaped that could be misread in a log line."""
    name = claims[claim]
    if not isinstance(name, str) or not 0 < len(name) <= _MAX_NAME:
        raise TokenError(f"has no usable `{claim}`")
    try:
        return TOKEN_PREFIX + quote(name, safe="@:/|+=")
    except UnicodeEncodeError as error:  # half of a surrogate pair
        raise TokenError(f"has no usable `{claim}`") from error
