"""What a fetcher uses of the environment."""

from dataclasses import replace
from pathlib import Path

import pytest

from emotion_llama_vllm.media.read.http import Fetcher
from tests.unit.plugin.media.read.http.origin import (
    HOST,
    LENGTH,
    OK,
    PUBLIC,
    Names,
    Origin,
    body,
    redirect,
    refusal,
)


@pytest.fixture
def proxied(fetcher: Fetcher, origin: Origin, monkeypatch: pytest.MonkeyPatch) -> Fetcher:
    """Sees the origin as a proxy, and nothing behind it."""
    for variable in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(variable, f"http://user:word@127.0.0.1:{origin.port}")
    monkeypatch.delenv("no_proxy", raising=False)
    names = Names()
    names.answers["127.0.0.1"] = [["127.0.0.1"]]
    return replace(fetcher, domains=[HOST], trust_env=True, resolve=names)


async def test_a_proxy_is_used_if_that_is_wanted(proxied: Fetcher, origin: Origin) -> None:
    origin.answers["http://clips.example:80/a?b"] = OK + LENGTH % 1 + b"x"
    assert await body(proxied, "http://clips.example/a?b") == b"x"
    assert b"\r\nProxy-Authorization: Basic dXNlcjp3b3Jk\r\n" in origin.requests[0]
    assert b"\r\nHost: clips.example\r\n" in origin.requests[0]


async def test_a_proxy_that_refuses_is_an_error_of_the_clip(
    proxied: Fetcher, origin: Origin
) -> None:
    origin.answers["clips.example:443"] = b"HTTP/1.1 403 No\r\n" + LENGTH % 0
    assert "could not be fetched" in await refusal(proxied, "https://clips.example/?secret")
    assert len(origin.requests) == 1


async def test_domains_hold_with_a_proxy(proxied: Fetcher, origin: Origin) -> None:
    origin.answers["http://clips.example:80/"] = redirect("http://evil.example/")
    for url in ("http://clips.example/", "http://evil.example/"):
        assert "does not fetch from 'evil.example'" in await refusal(proxied, url)
    assert len(origin.requests) == 1


async def test_addresses_hold_where_there_is_no_proxy(
    proxied: Fetcher, origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("no_proxy", HOST)
    names = Names(clips_example=[["10.0.0.1"]])
    direct = replace(proxied, private_hosts=[], resolve=names)
    assert "not public" in await refusal(direct, "http://clips.example/")
    assert not origin.requests


async def test_nothing_of_it_is_used_by_default(
    proxied: Fetcher,
    origin: Origin,
    dialled: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    (tmp_path / "netrc").write_text(f"machine {HOST} login user password word\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    origin.answers["/"] = OK + LENGTH % 1 + b"x"
    names = Names(clips_example=[[PUBLIC]])
    direct = replace(proxied, private_hosts=[], trust_env=False, resolve=names)
    assert await body(direct, "http://clips.example/") == b"x"
    assert dialled == [PUBLIC]
    assert b"uthorization" not in origin.requests[0]
