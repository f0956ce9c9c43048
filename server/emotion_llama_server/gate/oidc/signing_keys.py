"""Reads the public keys of an OpenID provider, and fixes which algorithms each may verify."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jwt
from pydantic import BaseModel, ConfigDict

_RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_ALGORITHMS: dict[tuple[str, str | None], tuple[str, ...]] = {
    ("RSA", None): _RSA,
    ("EC", "P-256"): ("ES256",),
    ("EC", "P-384"): ("ES384",),
    ("EC", "P-521"): ("ES512",),
    ("OKP", "Ed25519"): ("EdDSA",),
}
"""The algorithms of each type and curve of keys. There is none with a shared secret, as anybody
could sign with a public key if it counted as one, and none without a signature."""


class Jwk(BaseModel):
    """Represents a key as the provider publishes it (RFC 7517); further fields hold its numbers."""

    model_config = ConfigDict(extra="allow")

    kty: str
    kid: str | None = None
    crv: str | None = None
    alg: str | None = None
    use: str | None = None


class JwkSet(BaseModel):
    """Represents the document with all keys of a provider."""

    keys: list[dict[str, Any]]


@dataclass(frozen=True)
class SigningKey:
    """Holds a public key, and the algorithms of the tokens that it may verify."""

    public: Any
    algorithms: Sequence[str]


def signing_keys(published: JwkSet) -> dict[str, SigningKey]:
    """Return the usable keys by their ids; others, such as those for encryption, are skipped."""
    found = ((key.get("kid"), _signing_key(key)) for key in published.keys)
    return {kid: key for kid, key in found if isinstance(kid, str) and key is not None}


def _signing_key(fields: Mapping[str, Any]) -> SigningKey | None:
    try:
        jwk = Jwk.model_validate(fields)
        known = _ALGORITHMS.get((jwk.kty, jwk.crv), ())
        algorithms = [name for name in known if jwk.alg in (None, name)]
        if not algorithms or jwk.use not in (None, "sig"):
            return None
        return SigningKey(jwt.PyJWK(dict(fields), algorithms[0]).key, algorithms)
    except (ValueError, jwt.PyJWTError):
        return None
