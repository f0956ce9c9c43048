"""Which hosts an entry of the allowed domains means."""

import asyncio
from dataclasses import replace
from urllib.parse import urlsplit

import httpx2
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from emotion_llama_vllm.media.errors import MediaError
from emotion_llama_vllm.media.read.http import Fetcher
from tests.unit.plugin.media.read.http.origin import Names, body, public, refusal

PIECES = ["clips", "evil", ".example", "example", "127.0.0.1", "0x7f.1", "[::1]", "bücher", "Ü"]
PIECES += ["http", "https", "ſ", "。", ".", "-", ":", "/", "//", "\\", "@", "?", "#", ";", "&", "%"]
PIECES += ["%2e", "%00", ":80", ":443", ":8000", "０", "[", "]", "\u00ad", "\t", "\n", " "]
PIECES += ["clips.example", "CLIPS.EXAMPLE", "bücher.example:8000"]


@pytest.mark.parametrize(
    ("domain", "url"),
    [
        ("clips.example", "http://clips.example/"),
        ("clips.example", "https://clips.example/"),
        ("clips.example", "http://clips.example:443/"),
        ("CLIPS.Example.", "http://clips.example/"),
        ("clips.example:8000", "http://CLIPS.EXAMPLE.:8000/"),
        ("clips.example:443", "https://clips.example/"),
        ("bücher.example", "http://xn--bcher-kva.example/"),
        ("xn--bcher-kva.example", "http://BÜCHER.example/"),
        ("bücher.example", "http://bücher。example/"),
        ("my_bucket.example", "http://my_bucket.example/"),
        ("8.8.8.8", "http://8.8.8.8/"),
        ("[2001:4860:4860::8888]", "http://[2001:4860:4860:0::8888]/"),
        ("[2001:4860:4860::8888]:8000", "http://[2001:4860:4860::8888]:8000/"),
    ],
)
async def test_an_entry_allows_its_host_in_each_spelling(
    fetcher: Fetcher, domain: str, url: str
) -> None:
    names = Names()
    reason = await refusal(replace(fetcher, domains=[domain], resolve=names), url)
    assert "could not be fetched" in reason
    assert len(names.asked) == 1


@pytest.mark.parametrize(
    ("domain", "url", "host"),
    [
        ("clips.example", "http://evil.example/?secret", "evil.example"),
        ("clips.example", "http://a.clips.example/", "a.clips.example"),
        ("clips.example", "http://example/", "example"),
        ("clips.example", "http://clips.example.evil.example/", "clips.example.evil.example"),
        ("clips.example", "http://clips.example:8000/", "clips.example"),
        ("clips.example:8000", "http://clips.example/", "clips.example"),
        ("clips.example:443", "http://clips.example/", "clips.example"),
        ("bücher.example", "http://bucher.example/", "bucher.example"),
        ("clips.example", "http://clіps.example/", "xn--clps-m9d.example"),
        ("2130706433", "http://127.0.0.1/", "127.0.0.1"),
        ("127.1", "http://127.0.0.1/", "127.0.0.1"),
        ("[::ffff:127.0.0.1]", "http://127.0.0.1/", "127.0.0.1"),
        ("http://clips.example", "http://clips.example/", "clips.example"),
        ("*.example", "http://clips.example/", "clips.example"),
        ("*", "http://clips.example/", "clips.example"),
        ("", "http://clips.example/", "clips.example"),
        ("clips.example:0", "http://clips.example/", "clips.example"),
    ],
)
async def test_nothing_else_is_asked_for(
    fetcher: Fetcher, domain: str, url: str, host: str
) -> None:
    strict, names = public(fetcher)
    strict = replace(strict, domains=[domain], private_hosts=[host])
    assert await refusal(strict, url) == (
        f"This server does not fetch from {host!r}; "
        "its operator can allow a domain with --allowed-media-domains."
    )
    assert not names.asked


@settings(max_examples=300, deadline=None, database=None)
@given(
    st.tuples(
        st.sampled_from(["http://", "https://", "http:", "//", ""]),
        st.lists(st.sampled_from(PIECES), max_size=8).map("".join),
        st.sampled_from(["", ":80", ":443", ":8000", "@clips.example", "/clips.example"]),
        st.sampled_from(["", "/", "/a?b#c", "#@clips.example/", "?@clips.example/"]),
    ).map("".join)
)
@example("http://clips.example")
@example("http://clips.example@evil.example")
@example("https://BÜCHER。example.:8000")
@pytest.mark.costly
def test_whoever_reads_the_url_sees_an_allowed_host(url: str) -> None:
    names = Names()
    domains = ["clips.example", "bücher.example:8000"]
    fetcher = Fetcher(domains, [], max_bytes=1, seconds=5, resolve=names)
    with pytest.raises(MediaError):
        asyncio.run(body(fetcher, url))
    assert set(names.asked) <= {"clips.example", "xn--bcher-kva.example"}
    for host in names.asked:
        assert httpx2.URL(url).raw_host.decode().removesuffix(".") == host
        seen = (urlsplit(url).hostname or "").removesuffix(".")
        assert seen.encode("idna").decode() == host
