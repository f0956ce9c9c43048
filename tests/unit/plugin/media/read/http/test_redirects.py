"""Which redirects are followed."""

from dataclasses import replace

import pytest

from emotion_llama_vllm.media.errors import MediaError
from emotion_llama_vllm.media.read.http import Fetcher
from tests.unit.plugin.media.read.http.origin import (
    CLIP,
    HOST,
    LENGTH,
    OK,
    Names,
    Origin,
    body,
    redirect,
    refusal,
)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_followed(fetcher: Fetcher, origin: Origin, status: int) -> None:
    origin.answers["/a/b"] = redirect("../c?d", status)
    origin.answers["/c?d"] = redirect(f"//{origin.name}/é", status)
    origin.answers["/%C3%A9"] = redirect(f"http://{origin.name}/clip#e", status)
    origin.answers["/clip"] = OK + LENGTH % len(CLIP) + CLIP
    assert await body(fetcher, f"http://{origin.name}/a/b") == CLIP
    assert len(origin.requests) == 4
    assert b"cookie" not in b"".join(origin.requests).lower()
    assert isinstance(fetcher.resolve, Names)
    assert fetcher.resolve.asked == [HOST] * 4


async def test_redirects_are_not_followed_for_ever(fetcher: Fetcher, origin: Origin) -> None:
    origin.answers["/"] = redirect("/")
    assert "redirects over 3 times" in await refusal(fetcher, f"http://{origin.name}/")
    assert len(origin.requests) == 4


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("http://localhost/", "does not fetch from 'localhost'"),
        ("http://127.0.0.1:22/", "does not fetch from '127.0.0.1'"),
        ("http://169.254.169.254/?secret", "does not fetch from '169.254.169.254'"),
        ("http://clips.example:22/", "does not fetch from 'clips.example'"),
        ("https://clips.example/", "does not fetch from 'clips.example'"),
        ("//evil.example", "does not fetch from 'evil.example'"),
        ("http://inner.example/", "'inner.example' has an address that is not public"),
        ("file:///etc/passwd", "must read http"),
        ("data:,x", "must read http"),
        ("javascript:x", "must read http"),
        ("http://2130706433/", "must read http"),
        ("http://user:secret@clips.example/", "must read http"),
        ("\\\\evil.example\\", "must read http"),
        ("/a\tb", "must read http"),
        ("/a b", "must read http"),
        ("http://[::1/", "must read http"),
    ],
)
async def test_redirects_lead_to_allowed_places_only(
    fetcher: Fetcher, origin: Origin, location: str, reason: str
) -> None:
    origin.answers["/"] = redirect(location)
    names = Names(clips_example=[["127.0.0.1"]], inner_example=[["10.0.0.1"]])
    strict = replace(fetcher, domains=[origin.name, "inner.example"], resolve=names)
    with pytest.raises(MediaError, match=reason) as caught:
        await body(strict, f"http://{origin.name}/")
    assert "secret" not in str(caught.value)
    assert "10.0.0.1" not in str(caught.value)
    assert origin.connections == 1


async def test_a_redirect_may_leave_https_where_the_domain_may(
    fetcher: Fetcher, origin: Origin, secure: Origin
) -> None:
    secure.answers["/"] = redirect(f"http://{origin.name}/clip")
    origin.answers["/clip"] = OK + LENGTH % 1 + b"x"
    both = replace(fetcher, domains=[secure.name, origin.name])
    assert await body(both, f"https://{secure.name}/") == b"x"
    only = replace(fetcher, domains=[secure.name])
    assert "does not fetch from" in await refusal(only, f"https://{secure.name}/")


async def test_a_redirect_needs_a_location(fetcher: Fetcher, origin: Origin) -> None:
    origin.answers["/"] = b"HTTP/1.1 302 Found\r\n" + LENGTH % 0
    assert "status 302" in await refusal(fetcher, f"http://{origin.name}/")
