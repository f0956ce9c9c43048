"""Which URLs are read, and the request that is built from one."""

from dataclasses import replace

import pytest

from emotion_llama_vllm.media.read.http import Fetcher
from tests.unit.plugin.media.read.http.origin import (
    CLIP,
    HOST,
    LENGTH,
    OK,
    PUBLIC,
    Origin,
    body,
    public,
    refusal,
)


@pytest.mark.parametrize(
    ("url", "target", "host"),
    [
        ("http://clips.example/a.mp4", "/a.mp4", "clips.example"),
        ("HTTP://CLIPS.example./a.mp4", "/a.mp4", "clips.example"),
        ("http://clips.example", "/", "clips.example"),
        ("http://clips.example:80/", "/", "clips.example"),
        ("http://clips.example?a=b", "/?a=b", "clips.example"),
        ("http://clips.example/a?b=/?%2F+|'#c?d", "/a?b=/?%2F+|'", "clips.example"),
        ("http://clips.example/é%20@:/..", "/%C3%A9%20@:/..", "clips.example"),
        ("http://clips.example:443/a", "/a", "clips.example:443"),
    ],
)
async def test_the_request_is_built_from_what_was_checked(
    fetcher: Fetcher,
    origin: Origin,
    dialled: list[str],
    url: str,
    target: str,
    host: str,
) -> None:
    origin.answers[target] = OK + LENGTH % len(CLIP) + CLIP
    allowed, names = public(fetcher, [PUBLIC])
    assert await body(allowed, url) == CLIP
    assert (names.asked, dialled) == ([HOST], [PUBLIC])
    line, *headers = origin.requests[0].decode().rstrip().split("\r\n")
    assert line == f"GET {target} HTTP/1.1"
    assert sorted(headers) == [
        "Accept-Encoding: identity",
        "Accept: */*",
        "Connection: close",
        f"Host: {host}",
        "User-Agent: emotion-llama-server",
    ]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "clips.example/a",
        "//clips.example/a",
        "ftp://clips.example/a",
        "file:///etc/passwd",
        "httpſ://clips.example/a",
        "http:clips.example/a",
        "http:/clips.example/a",
        "http:///clips.example/a",
        "http://user@clips.example/a",
        "http://user:secret@clips.example/a",
        "http://clips.example@evil.example/a",
        "http://clips.example:80@evil.example/a",
        "http://clips.example:@evil.example/a",
        "http://evil.example\\@clips.example/a",
        "http:\\\\clips.example/a",
        "http://clips.example/a\\b",
        "http://clips.example /a",
        "http://clips.example/a b",
        " http://clips.example/a",
        "http://clips.example/a\n",
        "ht\ntp://clips.example/a",
        "http://clips.ex\tample/a",
        "http://clips.example/a\r\nHost: evil.example",
        "http://clips.example/a\x00",
        "http://clips.example/a\x7f",
        "http://clips.example/a\u2028",
        "http://clips.example/\ud800",
        "http://clips.example:/a",
        "http://clips.example:0/a",
        "http://clips.example:65536/a",
        "http://clips.example:８０/a",
        "http://clips.example:+80/a",
        "http://clips.example:80:80/a",
        "http://clips%2eexample/a",
        "http://clips.example%00/a",
        "http://clips..example/a",
        "http://clips.example../a",
        "http://.clips.example/a",
        "http://clips.example;evil.example/a",
        "http://clips\u00ad.example/a",
        f"http://{'a' * 64}.example/a",
        f"http://{'a.' * 127}example/a",
        "http://[clips.example]/a",
        "http://[::1/a",
        "http://[::1]evil.example/a",
        "http://evil.example[::1]/a",
        "http://[::1%25lo]/a",
        "http://[fe80::1%lo]/a",
        "http://[127.0.0.1]/a",
        "http://::1/a",
        # What resolvers take for 127.0.0.1, and `ipaddress` does not.
        "http://2130706433/a",
        "http://017700000001/a",
        "http://0x7f000001/a",
        "http://0x7f.1/a",
        "http://0177.0.0.1/a",
        "http://127.1/a",
        "http://127.0.1/a",
        "http://127.0.0.01/a",
        "http://127.0.0.0x1/a",
        "http://127.0.0.256/a",
        "http://127.0.0.1.1/a",
        "http://１２７.0.0.1/a",
        "http://①②⑦.0.0.1/a",
    ],
)
async def test_what_could_be_read_in_two_ways_is_refused(fetcher: Fetcher, url: str) -> None:
    everywhere, names = public(fetcher)
    reason = await refusal(replace(everywhere, domains=[HOST, "evil.example", "[::1]"]), url)
    assert reason == "The clip's URL must read http(s)://host/path."
    assert not names.asked
