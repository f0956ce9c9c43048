"""Whom a fetcher believes behind TLS."""

import asyncio
from dataclasses import replace

import pytest

from emotion_llama_vllm.media.read import http
from emotion_llama_vllm.media.read.http import Fetcher
from tests.unit.plugin.media.read.http.origin import (
    CLIP,
    HOST,
    LENGTH,
    OK,
    Names,
    Origin,
    body,
    refusal,
)


async def test_the_name_is_asked_for_and_checked(fetcher: Fetcher, secure: Origin) -> None:
    secure.answers["/"] = OK + LENGTH % len(CLIP) + CLIP
    there = replace(fetcher, domains=[secure.name])
    assert await body(there, f"https://{secure.name}/") == CLIP
    assert secure.names == [HOST]
    assert f"Host: {secure.name}\r\n".encode() in secure.requests[0]


@pytest.mark.parametrize("host", ["other.example", "127.0.0.1"])
async def test_another_name_is_refused(fetcher: Fetcher, secure: Origin, host: str) -> None:
    names = Names(other_example=[["127.0.0.1"]])
    names.answers["127.0.0.1"] = [["127.0.0.1"]]
    url = f"https://{host}:{secure.port}/"
    there = replace(fetcher, domains=[url[8:-1]], private_hosts=[host], resolve=names)
    assert "could not be fetched" in await refusal(there, url)
    assert not secure.requests


async def test_an_unknown_issuer_is_refused(
    fetcher: Fetcher, secure: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    http._trusted.cache_clear()
    there = replace(fetcher, domains=[secure.name])
    assert "could not be fetched" in await refusal(there, f"https://{secure.name}/")
    assert not secure.requests


async def test_what_speaks_no_tls_is_refused(fetcher: Fetcher) -> None:
    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + LENGTH % 1 + b"x")

    plain = Origin()
    async with plain.listening(speak):
        there = replace(fetcher, domains=[plain.name])
        assert "could not be fetched" in await refusal(there, f"https://{plain.name}/")
