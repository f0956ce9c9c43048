"""Access tokens: which ones open the server, and which wrong ones do not."""

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.apps.gate import Call, House
from tests.support.services.oidc import AUDIENCE, Provider, private_key, public_jwk


def house(provider: Provider, **settings: Any) -> House:
    return House(oidc_issuer=provider.url, oidc_audience=AUDIENCE, **settings)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def ask(house: House, token: str) -> Call:
    return await Call(house, "/look", "GET", bearer(token)).answer()


def encoded(part: Any) -> str:
    text = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


def code(call: Call) -> str:
    return json.loads(call.text)["error"]["code"]


@pytest.mark.parametrize(
    "algorithm", ["RS256", "RS512", "PS256", "ES256", "ES384", "ES512", "EdDSA"]
)
@pytest.mark.parametrize("names_algorithm", [True, False])
async def test_each_algorithm_with_a_key_pair_opens(
    provider: Provider, algorithm: str, names_algorithm: bool
) -> None:
    named = {"alg": algorithm} if names_algorithm else {}
    provider.keys = [public_jwk("k1", algorithm, use="sig", **named)]
    assert (await ask(house(provider), provider.token("k1", algorithm))).status == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": ["urn:other", AUDIENCE]},
        {"exp": -10},  # within the skew of the clocks
        {"nbf": 10, "iat": 10},
        {"exp": 1e308},
        {"typ": "JWT"},
        {"typ": "application/at+jwt"},
    ],
)
async def test_every_form_of_a_valid_token_opens(provider: Provider, claims: Any) -> None:
    assert (await ask(house(provider), provider.token(**claims))).status == 200


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"exp": -60}, "has expired"),
        ({"nbf": 60}, "is not valid yet"),
        ({"iat": 60}, "is not valid yet"),
        ({"aud": "urn:other"}, "is for another audience"),
        ({"aud": f"{AUDIENCE}:more"}, "is for another audience"),
        ({"aud": [["nested", AUDIENCE]]}, "is for another audience"),
        ({"aud": {AUDIENCE: 1}}, "is for another audience"),
        ({"iss": "https://evil.example"}, "is from another issuer"),
        ({"exp": None}, "has no `exp`"),
        ({"aud": None}, "has no `aud`"),
        ({"iss": None}, "has no `iss`"),
        ({"sub": None}, "has no `sub`"),
        ({"sub": ""}, "has no usable `sub`"),
        ({"sub": "x" * 256}, "has no usable `sub`"),
        ({"sub": "\ud800"}, "has no usable `sub`"),
        ({"exp": "soon"}, "is not valid"),
        ({"typ": "logout+jwt"}, "is not valid"),
        ({"typ": "dpop+jwt"}, "is not valid"),
    ],
)
async def test_wrong_claims_are_refused_in_a_sentence(
    provider: Provider, claims: Any, words: str
) -> None:
    call = await ask(house(provider), provider.token(**claims))
    assert call.status == 401
    assert code(call) == "invalid_token"
    assert call.answered["www-authenticate"] == 'Bearer error="invalid_token"'
    assert f"The access token {words}" in call.text


def hs256_with_the_public_key(provider: Provider) -> str:
    """Sign with a secret that everybody knows: the key as the provider publishes it."""
    public = private_key("k1", "RS256").public_key()
    secret = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = f"{encoded({'alg': 'HS256', 'kid': 'k1'})}.{provider.token().split('.')[1]}"
    return f"{signed}.{encoded(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


def changed(provider: Provider) -> str:
    head, body, signature = provider.token().split(".")
    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    return f"{head}.{encoded(claims | {'sub': 'root'})}.{signature}"


def with_header(provider: Provider, header: Any) -> str:
    _, body, signature = provider.token().split(".")
    return f"{encoded(header)}.{body}.{signature}"


FORGED = {
    "none": lambda p: with_header(p, {"alg": "none", "kid": "k1"}).rpartition(".")[0] + ".",
    "None": lambda p: with_header(p, {"alg": "None", "kid": "k1"}),
    "changed": changed,
    "unsigned": lambda p: p.token().rpartition(".")[0] + ".",
    "another key of that name": lambda p: jwt.encode(
        jwt.decode(p.token(), options={"verify_signature": False}),
        private_key("mallory"),
        "ES256",
        {"kid": "k1"},
    ),
    "another curve": lambda p: with_header(p, {"alg": "ES384", "kid": "k1"}),
    "no algorithm": lambda p: with_header(p, {"kid": "k1"}),
    "no key": lambda p: with_header(p, {"alg": "ES256"}),
    "a key of another type": lambda p: with_header(p, {"alg": "ES256", "kid": ["k1"]}),
    "its own key": lambda p: jwt.encode(
        jwt.decode(p.token(), options={"verify_signature": False}),
        private_key("mallory"),
        "ES256",
        {"kid": "k1", "jwk": public_jwk("mallory"), "jku": "https://evil.example/jwks"},
    ),
    "critical": lambda p: with_header(p, {"alg": "ES256", "kid": "k1", "crit": ["x"], "x": 1}),
    "detached": lambda p: with_header(
        p, {"alg": "ES256", "kid": "k1", "b64": False, "crit": ["b64"]}
    ),
    "a list": lambda p: with_header(p, [1]),
    "deep": lambda p: with_header(p, b"[" * 4000),
    "a long number": lambda p: with_header(p, b'{"alg": ' + b"9" * 5000 + b"}"),
    "no text": lambda p: with_header(p, b"\xff\xfe"),
    "dots": lambda _: "..",
    "umlauts": lambda _: "ä.ö.ü",
}


@pytest.mark.parametrize("forgery", FORGED)
async def test_a_forged_token_is_refused(provider: Provider, forgery: str) -> None:
    call = await ask(house(provider), FORGED[forgery](provider))
    assert call.status == 401
    assert code(call) == "invalid_token"


async def test_hs256_with_an_rsa_key_is_refused(provider: Provider) -> None:
    provider.keys = [public_jwk("k1", "RS256")]
    assert (await ask(house(provider), provider.token("k1", "RS256"))).status == 200
    assert (await ask(house(provider), hs256_with_the_public_key(provider))).status == 401


async def test_a_huge_token_is_refused_before_it_is_read(provider: Provider) -> None:
    call = await ask(house(provider), provider.token(groups="x" * 9000))
    assert call.status == 431
    assert provider.asked == []


@pytest.mark.parametrize("path", ["/work", "/process_video", "/look", "/nowhere", "/metrics"])
async def test_tokens_alone_close_the_server(provider: Provider, path: str) -> None:
    for headers in ({}, bearer("text"), {"X-API-Key": provider.token()}):
        call = await Call(house(provider), path, "GET", headers).answer()
        assert call.status == 401
        assert call.answered["www-authenticate"] == "Bearer"
        assert "access token" in call.text
    assert provider.asked == []


async def test_a_probe_never_waits_for_the_provider(provider: Provider) -> None:
    call = Call(house(provider), "/health", "GET", bearer(provider.token(key="unknown")))
    assert (await call.answer()).status == 200
    assert provider.asked == []


async def test_keys_open_beside_tokens(provider: Provider) -> None:
    both = house(provider, keys="alice:a.b.c,bob:k2")
    for headers in (bearer("a.b.c"), bearer("k2"), {"X-API-Key": "k2"}):
        assert (await Call(both, "/look", "GET", headers).answer()).status == 200
    assert provider.asked == []
    assert (await ask(both, provider.token())).status == 200


@pytest.mark.parametrize(
    ("claims", "status"),
    [
        ({"scope": "openid emotion:ask"}, 200),
        ({"scp": ["emotion:ask"]}, 200),
        ({"scp": "emotion:ask"}, 200),
        ({"scope": "emotion:asks"}, 403),
        ({"scope": {"emotion:ask": 1}}, 403),
        ({"scope": None}, 403),
    ],
)
async def test_a_token_needs_the_scope(provider: Provider, claims: Any, status: int) -> None:
    call = await ask(house(provider, oidc_scope="emotion:ask"), provider.token(**claims))
    assert call.status == status
    if status == 403:
        challenge = 'Bearer error="insufficient_scope", scope="emotion:ask"'
        assert call.answered["www-authenticate"] == challenge
        assert code(call) == "permission_denied"


async def test_the_metrics_stay_with_the_keys_that_are_named(provider: Provider) -> None:
    guarded = house(provider, keys="prometheus:p", metrics_key=("prometheus",))
    token = provider.token(sub="prometheus")
    assert (await Call(guarded, "/metrics", "GET", bearer(token)).answer()).status == 403
