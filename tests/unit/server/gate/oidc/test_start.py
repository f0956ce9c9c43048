"""What a start says about its OpenID provider."""

import ssl
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from pydantic import ValidationError

from emotion_llama_server.environment import StartError
from emotion_llama_server.gate.oidc import issuer
from emotion_llama_server.settings import ServerSettings, first_error
from emotion_llama_server.start import flags
from emotion_llama_server.start.options import StartOptions
from tests.support.logs import hear_vllm
from tests.support.services.oidc import Provider, public_jwk, send
from tests.unit.server.start.test_checks import make_certificate

SAFE = ["https://login.example", "https://login.example:8443/realms/x/", "http://localhost:9000"]
UNSAFE = {
    "http://login.example": "write https://HOST; http is for providers on this machine alone",
    "http://127.0.0.1.evil.example": "write https://HOST",
    "login.example": "write https://HOST",
    "ftp://login.example": "write https://HOST",
    "https://": "write https://HOST",
    "https://[": "write https://HOST",
    "https://a:b@login.example": "an issuer has no query, fragment, password or space",
    "https://login.example?x=1": "an issuer has no query",
    "https://login.example/#x": "an issuer has no query",
}


@pytest.mark.parametrize("url", SAFE)
def test_an_issuer_has_https_or_is_local(clean_environment: pytest.MonkeyPatch, url: str) -> None:
    assert ServerSettings(oidc_issuer=url, oidc_audience="a").oidc_issuer == url


@pytest.mark.parametrize("url", UNSAFE)
def test_another_issuer_is_refused(clean_environment: pytest.MonkeyPatch, url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ServerSettings(oidc_issuer=url, oidc_audience="a")
    assert first_error(caught.value).startswith(f"--oidc-issuer: {UNSAFE[url]}")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"oidc_issuer": SAFE[0]}, "--oidc-audience: --oidc-issuer needs it"),
        ({"oidc_issuer": SAFE[0], "oidc_audience": ""}, "--oidc-audience: "),
        ({"oidc_audience": "a"}, "--oidc-audience: it needs --oidc-issuer"),
        ({"oidc_scope": "a"}, "--oidc-scope: it needs --oidc-issuer"),
        ({"oidc_issuer": SAFE[0], "oidc_audience": "a", "oidc_scope": 'a "'}, "--oidc-scope: "),
        ({"oidc_issuer": SAFE[0], "oidc_audience": "a", "oidc_name_claim": ""}, "--oidc-name-cla"),
    ],
)
def test_half_a_setting_is_refused(
    clean_environment: pytest.MonkeyPatch, given: dict[str, str], words: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        ServerSettings(**given)  # type: ignore[arg-type]
    assert first_error(caught.value).startswith(words)


def test_a_provider_that_answers_lets_the_start_go_on(
    provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    flags._check_issuer(provider.url)
    assert not caplog.records


def plain_text(request: BaseHTTPRequestHandler) -> None:
    send(request, b"Hello.")


WRONG: dict[str, tuple[Callable[[BaseHTTPRequestHandler], None], str]] = {
    "a page": (plain_text, "is no document of a provider"),
    "a lost page": (lambda request: send(request, b"", 404), "answers with status 404"),
    "moved": (lambda r: send(r, b"", 301, Location="/"), "answers with status 301"),
    "large": (lambda r: send(r, b" " * (issuer.MAX_BYTES + 1)), "answers with over 256 KiB"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_no_provider_ends_the_start(provider: Provider, kind: str) -> None:
    provider.answer, words = WRONG[kind]
    with pytest.raises(StartError, match=words):
        flags._check_issuer(provider.url)


def test_the_issuer_must_be_written_as_the_provider_writes_it(provider: Provider) -> None:
    with pytest.raises(StartError, match=f"has the issuer '{provider.url}'"):
        flags._check_issuer(f"{provider.url}/")


@pytest.mark.parametrize("url", ["http://login.example/jwks", "file:///etc/passwd", "/jwks", ""])
def test_keys_behind_http_end_the_start(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    found = {"issuer": provider.url, "jwks_uri": url}
    monkeypatch.setattr(Provider, "discovery", found)
    with pytest.raises(StartError, match="its keys are not behind https"):
        flags._check_issuer(provider.url)


def test_a_provider_without_a_key_for_signatures_ends_the_start(provider: Provider) -> None:
    provider.keys = [public_jwk("k1", use="enc")]
    with pytest.raises(StartError, match="has no key that verifies tokens"):
        flags._check_issuer(provider.url)


@pytest.mark.parametrize("manner", ["is gone", "hangs", "fails"])
def test_a_provider_that_is_away_is_a_warning(
    provider: Provider,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    manner: str,
) -> None:
    hear_vllm(caplog, monkeypatch)
    monkeypatch.setattr(issuer, "FETCH_SECONDS", 0.1)
    if manner == "is gone":
        provider.stop()
    elif manner == "hangs":
        provider.answer = provider.hang
    else:
        provider.answer = lambda request: send(request, b"", 503)
    flags._check_issuer(provider.url)
    assert "until it answers, access tokens get status 503" in caplog.text


def test_a_certificate_that_nobody_trusts_ends_the_start(
    provider: Provider, tmp_path: Path
) -> None:
    certificate, key = make_certificate(
        tmp_path, "-nodes", "-addext", "subjectAltName=IP:127.0.0.1"
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    provider.secure(context)
    with pytest.raises(StartError, match=r"certificate that is not trusted \(self-signed"):
        flags._check_issuer(provider.url)


def test_a_start_reads_the_flags(provider: Provider, clean_environment: pytest.MonkeyPatch) -> None:
    given = ["--oidc-issuer", provider.url, "--oidc-audience", "a", "--oidc-scope", "ask"]
    settings = StartOptions.of(flags.parse(given)).settings
    assert (settings.oidc_audience, settings.oidc_scope) == ("a", "ask")
    assert settings.oidc_name_claim == "sub"
    assert provider.asked


def test_a_server_with_tokens_alone_does_not_warn_that_it_is_open(
    provider: Provider,
    clean_environment: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    hear_vllm(caplog, clean_environment)
    given = ["--oidc-issuer", provider.url, "--oidc-audience", "a", "--host", "0.0.0.0"]
    flags.parse(given)
    assert "Anyone" not in caplog.text
    flags.parse(given[-2:])
    assert "Anyone" in caplog.text
