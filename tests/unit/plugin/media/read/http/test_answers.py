"""Which answers of an origin are a clip, and what the others are told as."""

import asyncio
import errno
import gzip
import io
import socket
from dataclasses import replace

import pytest

from emotion_llama_vllm.media.errors import MediaError, MediaTooLarge
from emotion_llama_vllm.media.read.http import Fetcher
from tests.unit.plugin.media.read.http.origin import (
    CLIP,
    HOST,
    LENGTH,
    OK,
    Names,
    Origin,
    body,
    never_end,
    refusal,
)


@pytest.mark.parametrize(
    "answer",
    [
        OK + LENGTH % len(CLIP) + CLIP,
        OK + LENGTH % len(CLIP) + CLIP + b"more than was said",
        OK + b"\r\n" + CLIP,
        b"HTTP/1.0 200 OK\r\n\r\n" + CLIP,
        OK + b"Content-Encoding: Identity\r\n\r\n" + CLIP,
        OK + b"Content-Encoding: aws-chunked\r\n\r\n" + CLIP,
        OK + b"Content-Encoding:\r\n\r\n" + CLIP,
        OK + b"Content-Encoding: AWS-Chunked, identity\r\n\r\n" + CLIP,
        OK + b"Content-Encoding: aws-chunked\r\nContent-Encoding: \r\n\r\n" + CLIP,
        OK + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(CLIP), CLIP),
        b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK + LENGTH % len(CLIP) + CLIP,
    ],
)
async def test_a_body_is_written(fetcher: Fetcher, origin: Origin, answer: bytes) -> None:
    origin.answers["/"] = answer
    exact = replace(fetcher, max_bytes=len(CLIP))
    assert await body(exact, f"http://{origin.name}/") == CLIP


CUT_OFF = "The clip's URL was cut off before its end; try again."
FAILED = "The clip's URL could not be fetched; check host and path."
EMPTY = "The clip is empty: its URL has no bytes."
ENCODED = "The clip's URL must send the clip without a content encoding."


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (OK + LENGTH % (len(CLIP) + 1) + CLIP, CUT_OFF),
        (OK + LENGTH % 1, CUT_OFF),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n9\r\nshort", CUT_OFF),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", CUT_OFF),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n", CUT_OFF),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * 200_000, CUT_OFF),
        (OK + LENGTH % 0, EMPTY),
        (OK + b"\r\n", EMPTY),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", EMPTY),
        (OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(CLIP), ENCODED),
        (OK + b"Content-Encoding: br\r\n\r\n" + CLIP, ENCODED),
        (OK + b"Content-Encoding: aws-chunked,gzip\r\n\r\n" + CLIP, ENCODED),
        (OK + b"Transfer-Encoding: gzip\r\n\r\n" + gzip.compress(CLIP), FAILED),
        (OK + b"X: " + b"x" * 300_000 + b"\r\n\r\n" + CLIP, FAILED),
        (OK + b"X: x\r\n" * 100_000 + b"\r\n" + CLIP, FAILED),
        (OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", FAILED),
        (OK + b"Content-Length: -1\r\n\r\nx", FAILED),
        (OK + b"Content-Length: 1e3\r\n\r\nx", FAILED),
        (OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nx", FAILED),
        (b"SSH-2.0-OpenSSH_9.2\r\n", FAILED),
        (b"HTTP/1.1", FAILED),
        (b"", FAILED),
        (CLIP, FAILED),
    ],
)
async def test_a_lie_is_refused(
    fetcher: Fetcher, origin: Origin, answer: bytes, reason: str
) -> None:
    origin.answers["/?secret"] = answer
    assert await refusal(fetcher, f"http://{origin.name}/?secret") == reason


@pytest.mark.parametrize("status", [201, 204, 206, 300, 304, 401, 404, 407, 500, 999])
async def test_another_status_is_refused(fetcher: Fetcher, origin: Origin, status: int) -> None:
    origin.answers["/"] = b"HTTP/1.1 %d No\r\n" % status + LENGTH % len(CLIP) + CLIP
    reason = await refusal(fetcher, f"http://{origin.name}/")
    assert reason == f"The clip's URL answered with status {status}."


async def test_too_long_a_body_is_refused_before_it_comes(fetcher: Fetcher, origin: Origin) -> None:
    async def announce(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + LENGTH % (2**20 + 1))
        await origin.wait(reader, writer)

    origin.answers["/"] = announce
    reason = await refusal(fetcher, f"http://{origin.name}/", MediaTooLarge)
    assert reason == "The clip is over 1 MiB, the most that this server takes."
    await asyncio.wait_for(origin.hung_up.wait(), 2)


@pytest.mark.parametrize(("cap", "said"), [(10485, "0.01"), (64 * 2**20, "64")])
async def test_the_cap_is_told_as_it_was_given(
    fetcher: Fetcher, origin: Origin, cap: int, said: str
) -> None:
    origin.answers["/"] = OK + LENGTH % 10**12
    capped = replace(fetcher, max_bytes=cap)
    reason = await refusal(capped, f"http://{origin.name}/", MediaTooLarge)
    assert f"over {said} MiB" in reason


async def test_a_body_without_end_is_capped(fetcher: Fetcher, origin: Origin) -> None:
    origin.answers["/"] = never_end
    into = io.BytesIO()
    with pytest.raises(MediaTooLarge) as caught:
        await fetcher.fetch(f"http://{origin.name}/", into)
    assert caught.value.status == 413
    assert len(into.getvalue()) <= 2**20


async def test_a_bomb_never_inflates(fetcher: Fetcher, origin: Origin) -> None:
    bomb = gzip.compress(bytes(2**24))
    origin.answers["/"] = OK + b"Content-Encoding: gzip\r\n" + LENGTH % len(bomb) + bomb
    into = io.BytesIO()
    with pytest.raises(MediaError, match="content encoding"):
        await fetcher.fetch(f"http://{origin.name}/", into)
    assert not into.getvalue()
    # Each of several headers counts.
    header = b"Content-Encoding: gzip\r\nContent-Encoding: identity\r\n"
    origin.answers["/"] = OK + header + LENGTH % len(bomb) + bomb
    with pytest.raises(MediaError, match="content encoding"):
        await fetcher.fetch(f"http://{origin.name}/", into)
    assert not into.getvalue()


@pytest.mark.parametrize("names", [Names(), Names(clips_example=[[]])], ids=["host", "addresses"])
async def test_a_name_that_is_unknown_or_has_no_address_is_refused(
    fetcher: Fetcher, origin: Origin, names: Names
) -> None:
    nowhere = replace(fetcher, resolve=names)
    assert "could not be fetched" in await refusal(nowhere, f"http://{origin.name}/?secret")


async def test_a_port_that_is_closed_is_refused(fetcher: Fetcher) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        name = f"{HOST}:{closed.getsockname()[1]}"
    reason = await refusal(replace(fetcher, domains=[name]), f"http://{name}/?secret")
    assert "could not be fetched" in reason


async def test_an_error_in_writing_is_no_error_of_the_clip(
    fetcher: Fetcher, origin: Origin
) -> None:
    class Full(io.BytesIO):
        def write(self, *_: object) -> int:
            raise OSError(errno.ENOSPC, "full")

    origin.answers["/"] = OK + LENGTH % 1 + b"x"
    with pytest.raises(OSError, match="full"):
        await fetcher.fetch(f"http://{origin.name}/", Full())
