"""The provider's keys: rotated, withdrawn, or out of reach; and who waits for them."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler

import pytest

from emotion_llama_server.gate.oidc import issuer, key_cache
from tests.support.apps.gate import Call, House, gauge, until
from tests.support.logs import hear_vllm
from tests.support.services.oidc import AUDIENCE, Provider, public_jwk, send

DISCOVERY, KEYS = "/.well-known/openid-configuration", "/jwks"


@pytest.fixture
def house(provider: Provider) -> House:
    return House(oidc_issuer=provider.url, oidc_audience=AUDIENCE)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list]:
    """Return the lines about access tokens."""
    hear_vllm(caplog, monkeypatch)

    def lines() -> list[str]:
        told = (record.getMessage() for record in caplog.records)
        return [line for line in told if "access tokens" in line]

    return lines


@pytest.fixture
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_cache, "PAUSE_SECONDS", 0.02)


async def ask(house: House, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    call = await Call(house, "/look", "GET", headers).answer()
    if call.status == 503:
        assert int(call.answered["retry-after"]) >= 1 or key_cache.PAUSE_SECONDS < 1
        assert "server_unavailable" in call.text
    return call.status


async def test_keys_are_fetched_once_for_all_requests(provider: Provider, house: House) -> None:
    answers = await asyncio.gather(*(ask(house, provider.token()) for _ in range(20)))
    assert set(answers) == {200}
    assert provider.asked == [DISCOVERY, KEYS]


async def test_made_up_keys_do_not_make_the_server_ask_on_and_on(
    provider: Provider, house: House
) -> None:
    tokens = [provider.token(f"made-up-{number}") for number in range(50)]
    answers = await asyncio.gather(*(ask(house, token) for token in tokens))
    assert set(answers) == {401}
    assert await ask(house, provider.token()) == 200
    assert len(provider.asked) == 2


@pytest.mark.usefixtures("no_pause")
async def test_a_new_key_is_known_with_its_first_token(provider: Provider, house: House) -> None:
    assert await ask(house, provider.token()) == 200
    provider.keys.append(public_jwk("k2"))
    await asyncio.sleep(0.03)
    assert await ask(house, provider.token("k2")) == 200
    assert await ask(house, provider.token()) == 200


@pytest.mark.usefixtures("no_pause")
async def test_a_withdrawn_key_stops_counting_without_any_request(
    provider: Provider, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_cache, "CURRENT_SECONDS", 0.02)
    assert await ask(house, provider.token()) == 200
    provider.keys = [public_jwk("k2")]
    seen = len(provider.asked)
    await until(lambda: len(provider.asked) >= seen + 4)
    assert await ask(house, provider.token()) == 401


@pytest.mark.usefixtures("no_pause")
async def test_while_the_provider_is_away_known_keys_count_and_others_get_503(
    provider: Provider, house: House, log: Callable[[], list[str]]
) -> None:
    assert await ask(house, provider.token()) == 200
    port = provider.port
    provider.stop()
    for _ in range(3):
        await asyncio.sleep(0.03)
        assert await ask(house, provider.token("k2")) == 503
        assert await ask(house, provider.token()) == 200
    assert gauge("oidc_issuer_up") == 0
    provider.keys.append(public_jwk("k2"))
    provider.start(port)
    await until(lambda: gauge("oidc_issuer_up") == 1)
    assert await ask(house, provider.token("k2")) == 200
    assert [line.split(" tokens ")[1][:6] for line in log()] == ["cannot", "can be"]


@pytest.mark.usefixtures("no_pause")
async def test_a_server_that_starts_before_its_provider_takes_tokens_later(
    provider: Provider, house: House
) -> None:
    port = provider.port
    provider.stop()
    assert await ask(house, provider.token()) == 503
    provider.start(port)
    await until(lambda: gauge("oidc_issuer_up") == 1)
    assert await ask(house, provider.token()) == 200


@pytest.mark.parametrize("slow", [Provider.hang, Provider.drip])
@pytest.mark.costly
async def test_a_slow_provider_holds_up_only_tokens_of_unknown_keys_and_these_not_for_long(
    provider: Provider, house: House, monkeypatch: pytest.MonkeyPatch, slow: Callable[..., None]
) -> None:
    monkeypatch.setattr(issuer, "FETCH_SECONDS", 0.3)
    monkeypatch.setattr(key_cache, "PAUSE_SECONDS", 0.01)
    assert await ask(house, provider.token()) == 200
    await asyncio.sleep(0.02)
    provider.answer = partial(slow, provider)
    begun = time.monotonic()
    waiting = [asyncio.ensure_future(ask(house, provider.token("k2"))) for _ in range(5)]
    await asyncio.sleep(0.02)
    assert await ask(house, provider.token()) == 200
    assert time.monotonic() - begun < 0.2
    assert await asyncio.gather(*waiting) == [503] * 5
    assert time.monotonic() - begun < 0.9


def elsewhere(request: BaseHTTPRequestHandler) -> None:
    send(request, b"", 302, Location="http://127.0.0.1:1/")


WRONG: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {
    "redirects": elsewhere,
    "too large": lambda request: send(request, b" " * (issuer.MAX_BYTES + 1)),
    "a page": lambda request: send(request, b"<html>"),
    "deep": lambda request: send(request, b"[" * 100_000),
    "compressed": lambda request: send(request, b"\x1f\x8b\x08", Content_Encoding="gzip"),
    "fails": lambda request: send(request, b"", 500),
    "lost": lambda request: send(request, b"", 404),
    "breaks off": lambda request: send(request, b"{", Content_Length="100"),
    "no keys": lambda request: send(request, b'{"keys": []}'),
    "no list": lambda request: send(request, b'{"keys": {"k1": 1}}'),
    "no objects": lambda request: send(request, b'{"keys": [1, null]}'),
}


@pytest.mark.usefixtures("no_pause")
@pytest.mark.parametrize("manner", WRONG)
@pytest.mark.parametrize("where", [DISCOVERY, KEYS])
@pytest.mark.costly
async def test_a_wrong_answer_leaves_the_known_keys_as_they_are(
    provider: Provider, house: House, manner: str, where: str
) -> None:
    assert await ask(house, provider.token()) == 200
    well = provider.answer
    provider.answer = lambda request: (WRONG[manner] if request.path == where else well)(request)
    await asyncio.sleep(0.03)
    assert await ask(house, provider.token("k2")) == 503
    assert await ask(house, provider.token()) == 200
    provider.answer = well
    provider.keys.append(public_jwk("k2"))
    await until(lambda: gauge("oidc_issuer_up") == 1)
    assert await ask(house, provider.token("k2")) == 200


UNUSABLE = {
    "a secret": {"kty": "oct", "kid": "k2", "k": "c2VjcmV0", "alg": "HS256"},
    "for encryption": public_jwk("k2", use="enc"),
    "of another algorithm": public_jwk("k2", alg="ES512"),
    "no numbers": {"kty": "EC", "crv": "P-256", "kid": "k2"},
    "no type": {"kid": "k2"},
    "an unknown type": {"kty": "AKP", "alg": "ML-DSA-44", "kid": "k2", "pub": "x"},
    "no point": public_jwk("k2", x="AAAA"),
}


@pytest.mark.parametrize("kind", UNUSABLE)
async def test_a_key_that_verifies_nothing_is_skipped(
    provider: Provider, house: House, kind: str
) -> None:
    provider.keys.insert(0, UNUSABLE[kind])
    assert await ask(house, provider.token()) == 200
    assert await ask(house, provider.token("k2")) == 401
