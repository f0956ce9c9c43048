"""Clips inside a request's text, in every way that browsers and tools write them."""

import asyncio
import base64
import contextlib
import time
import tracemalloc
import urllib.parse
from pathlib import Path

import pytest

from devtools.media import Recipe, make_clip, picture
from emotion_llama_vllm.media.errors import MediaError, MediaTooLarge
from emotion_llama_vllm.media.read.data_url import is_bare_base64, read_base64, read_data_url
from emotion_llama_vllm.media.read.reader import MediaReader
from emotion_llama_vllm.settings import MediaSettings

MOST = 1 << 20
CONTENT = b"\x00\x00\x00\x18ftypisom" + bytes(range(256)) * 7 + b"\xfb\xff\xfe"
"""Its base64 needs padding, and has characters that differ in the URL-safe alphabet."""
ENCODED = base64.b64encode(CONTENT).decode()
URL_SAFE = base64.urlsafe_b64encode(CONTENT).decode()


def read(url: str, root: Path | None = None) -> bytes:
    reader = MediaReader([root] if root else [], [], MediaSettings())

    async def opened() -> bytes:
        with await reader.open(url) as clip:
            return clip.read()

    return asyncio.run(opened())


def lines(text: str, end: str) -> str:
    return "".join(text[i : i + 76] + end for i in range(0, len(text), 76))


@pytest.mark.parametrize(
    "head",
    [
        "data:video/mp4;base64",
        "DATA:VIDEO/MP4;BASE64",
        "data:;base64",
        "data:video/webm;codecs=vp8,opus;base64",
        "data:video/x-matroska;codecs=avc1,opus;base64",
        'data:video/mp4; codecs="avc1.42000a,mp4a.40.2";base64',
        'data:video/mp4;codecs="a;b,c";name="x, y";base64',
        "data:video/webm;codecs=vp8,opus;charset=utf-8; base64 ",
        "data: video/mp4 ;base64",
        "data:video/mp4;name=my%20clip.mp4;base64",
    ],
)
def test_the_head_may_have_parameters(head: str) -> None:
    assert read(f"{head},{ENCODED}") == CONTENT


@pytest.mark.parametrize(
    "payload",
    [
        ENCODED.rstrip("="),
        URL_SAFE,
        URL_SAFE.rstrip("="),
        lines(ENCODED, "\r\n"),
        lines(ENCODED, "\n"),
        lines(URL_SAFE, "\n "),
        urllib.parse.quote(ENCODED, safe=""),
        urllib.parse.quote(lines(ENCODED, "\r\n"), safe=""),
        "".join(f"%{ord(char):02x}" for char in ENCODED),
    ],
    ids=["unpadded", "safe", "safe unpadded", "crlf", "lf", "blanks", "%", "% crlf", "all %"],
)
def test_the_payload_may_be_written_otherwise(payload: str) -> None:
    assert len(ENCODED) % 4 == 0 < ENCODED.count("=")
    assert read(f"data:video/mp4;base64,{payload}") == CONTENT
    assert read(f"\n data:video/mp4;base64,{payload}\t\r\n") == CONTENT


@pytest.mark.parametrize("head", ["data:video/mp4,", "data:,", 'data:video/mp4;x="a,b",'])
def test_a_payload_may_be_percent_encoded_bytes(head: str) -> None:
    assert read(head + urllib.parse.quote_from_bytes(CONTENT)) == CONTENT


def test_a_base64_mark_behind_the_comma_belongs_to_the_payload() -> None:
    assert read("data:text/plain,hello;base64,AAAA") == b"hello;base64,AAAA"


@pytest.mark.parametrize(
    "clip",
    [
        make_clip(Recipe(seconds=0.2)),
        make_clip(Recipe(container="matroska", seconds=0.2)),
        make_clip(Recipe("avi", "mpeg4", "libmp3lame", seconds=0.2)),
        make_clip(Recipe("mpegts", seconds=0.2)),
        b"\x89PNG\r\n\x1a\n" + picture(8, 8).tobytes(),
        b"\xff\xd8\xff\xe0" + picture(8, 8).tobytes(),
        make_clip(Recipe("wav", None, "pcm_s16le", seconds=0.2)),
        make_clip(Recipe("mp3", None, "libmp3lame", seconds=0.2)),
        make_clip(Recipe("ogg", None, "libopus", seconds=0.2)),
        make_clip(Recipe("flac", None, "flac", seconds=0.2)),
    ],
    ids=["mp4", "mkv", "avi", "ts", "png", "jpeg", "wav", "mp3", "ogg", "flac"],
)
def test_bare_base64_of_a_media_file_is_that_file(clip: bytes, tmp_path: Path) -> None:
    encoded = base64.b64encode(clip).decode()
    for text in (encoded, encoded.rstrip("="), lines(encoded, "\n"), f" {encoded}\n"):
        assert read(text, tmp_path) == clip
    assert read(base64.urlsafe_b64encode(clip).decode(), tmp_path) == clip


@pytest.mark.parametrize(
    "path", ["clip.mp4", "a" * 64, "folder/" * 12, "/9j/" + "b" * 9, "R" * 100, ENCODED[:40]]
)
def test_a_path_is_no_base64(path: str) -> None:
    assert not is_bare_base64(path)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("data:video/mp4;base64", "comma"),
        ("data:", "comma"),
        ("data:video/mp4;base64,@@@@", "not valid"),
        ("data:video/mp4;base64,AAAAA", "not valid"),
        ("data:video/mp4;base64,\u00e9\u00e9\u00e9\u00e9", "not valid"),
        ("data:video/mp4;base64,", "empty"),
        ("data:video/mp4,", "empty"),
        ("data:video/jpeg;base64,AAAA", "sequence of JPEGs"),
        ("data:VIDEO/JPEG;q=1;base64,AAAA", "sequence of JPEGs"),
        ("data:video/mp4;base64,AAAA,AAAA", "sequence of JPEGs"),
    ],
)
def test_what_is_no_clip_is_refused(url: str, reason: str) -> None:
    with pytest.raises(MediaError, match=reason):
        read(url)


def test_the_limit_is_that_of_the_bytes_however_they_are_written() -> None:
    limit = len(CONTENT)
    ways = [f"data:;base64,{ENCODED}", f"data:;base64,{lines(ENCODED, '  ')}"]
    ways.append("data:," + "".join(f"%{byte:02x}" for byte in CONTENT))
    ways.append("data:;base64," + urllib.parse.quote(ENCODED, safe=""))
    for way in ways:
        assert read_data_url(way, limit) == CONTENT
        with pytest.raises(MediaTooLarge):
            read_data_url(way, limit - 4)


def test_what_is_far_too_large_is_not_decoded() -> None:
    url = "data:;base64," + "@" * 8 * MOST
    tracemalloc.start()
    try:
        with pytest.raises(MediaTooLarge):
            read_data_url(url, MOST)
        assert tracemalloc.get_traced_memory()[1] < 1.2 * len(url)
    finally:
        tracemalloc.stop()


def test_a_clip_is_copied_once_and_decoded_once() -> None:
    data = bytes(8 * MOST)
    url = "data:video/mp4;base64," + base64.b64encode(data).decode()
    tracemalloc.start()
    try:
        assert len(read_data_url(url, 2 * len(data))) == len(data)
        assert tracemalloc.get_traced_memory()[1] < 1.05 * (len(url) + len(data))
    finally:
        tracemalloc.stop()


def seconds(url: str) -> float:
    best = 1e9
    for _ in range(3):
        started = time.perf_counter()
        with contextlib.suppress(MediaError):
            read_data_url(url, 1 << 30)
        best = min(best, time.perf_counter() - started)
    return best


@pytest.mark.parametrize(
    "piece",
    [";", '"', ';"', ";a=b,", ";base64", ',"', "; base64 ", "data:"],
)
@pytest.mark.parametrize("before", ["data:", "data:x;a=", 'data:x;a="'])
def test_no_head_takes_long(before: str, piece: str) -> None:
    """The time does not grow with the square of what is sent."""
    short, long = (before + piece * count for count in (20_000, 320_000))
    assert seconds(long) < 100 * seconds(short) + 0.05


@pytest.mark.parametrize("piece", ["A\n", "%41", "-_", "=", "%", "A="])
@pytest.mark.costly
def test_no_payload_takes_long(piece: str) -> None:
    short, long = ("data:;base64," + piece * count for count in (20_000, 320_000))
    assert seconds(long) < 100 * seconds(short) + 0.05


@pytest.mark.parametrize("name", ["a#b.mp4", "a?b=c.mp4", "100%25.mp4", "clip #1?.mp4"])
def test_a_file_url_may_hold_what_other_urls_reserve(name: str, tmp_path: Path) -> None:
    file = tmp_path / name.replace("%25", "%")
    file.write_bytes(CONTENT)
    assert read(file.as_uri(), tmp_path) == CONTENT
    for start in ("file://", "file:", "FILE://localhost"):
        assert read(f" {start}{tmp_path}/{name}\n", tmp_path) == CONTENT


def test_blanks_around_a_name_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(CONTENT)
    assert read("  clip.mp4\n", tmp_path) == CONTENT


def test_base64_is_read_alone() -> None:
    assert read_base64(ENCODED, MOST) == CONTENT
