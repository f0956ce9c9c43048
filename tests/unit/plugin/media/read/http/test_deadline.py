"""Fetching ends in time, whatever an origin does, and at once where nobody waits for it."""

import asyncio
import socket
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from emotion_llama_vllm.media.errors import ServerBusy
from emotion_llama_vllm.media.read import http
from emotion_llama_vllm.media.read.http import Fetcher
from emotion_llama_vllm.media.read.threads import Threads, files
from tests.unit.plugin.media.read.http.origin import (
    HOST,
    LENGTH,
    OK,
    Origin,
    Serve,
    body,
    never_end,
    redirect,
    refusal,
)


async def continue_for_ever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while not reader.at_eof():
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)
        await writer.drain()


async def drip_headers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK)
    while not reader.at_eof():
        writer.write(b"X: x\r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


async def drip_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK + LENGTH % 1000)
    while not reader.at_eof():
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def drip_chunks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    while not reader.at_eof():
        writer.write(b"1\r\nx\r\n" * 1000)
        await writer.drain()


@pytest.mark.parametrize(
    "serve",
    [
        *(continue_for_ever, drip_headers, drip_body, drip_chunks, never_end),
        pytest.param(None, id="silence"),
    ],
)
@pytest.mark.costly
async def test_the_deadline_cuts_off_what_never_ends(
    fetcher: Fetcher, origin: Origin, serve: Serve | None
) -> None:
    origin.answers["/"] = serve or origin.wait
    hasty = replace(fetcher, seconds=0.25, max_bytes=2**40)
    begun = asyncio.get_running_loop().time()
    reason = await refusal(hasty, f"http://{origin.name}/")
    assert reason == "Fetching the clip took over 0.25 s."
    assert asyncio.get_running_loop().time() - begun < 1


async def test_an_endless_answer_leaves_others_their_turn(fetcher: Fetcher, origin: Origin) -> None:
    origin.answers["/"] = drip_chunks
    hasty = replace(fetcher, seconds=0.25)
    task, turns = asyncio.create_task(refusal(hasty, f"http://{origin.name}/")), 0
    while not task.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 1000


async def test_the_deadline_holds_for_all_hops_together(fetcher: Fetcher, origin: Origin) -> None:
    async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.2)
        writer.write(redirect("/"))

    origin.answers["/"] = stall
    reason = await refusal(replace(fetcher, seconds=0.3), f"http://{origin.name}/")
    assert "took over 0.3 s" in reason
    assert len(origin.requests) == 2


async def test_the_deadline_holds_for_looking_up(fetcher: Fetcher, origin: Origin) -> None:
    async def stall(host: str, port: int) -> Sequence[str]:
        await asyncio.sleep(60)
        return []

    slow = replace(fetcher, seconds=0.1, resolve=stall)
    assert "took over 0.1 s" in await refusal(slow, f"http://{origin.name}/")


@pytest.mark.costly
async def test_a_resolver_that_hangs_holds_up_nobody_else(
    origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a slow name server does: every thread that asks it is stuck."""
    goes_on = threading.Event()
    monkeypatch.setattr(http, "names", Threads("threads for names", 1, wait_seconds=0.2))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: goes_on.wait())
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(max_workers=1))
    stuck = Fetcher([HOST], [], max_bytes=9, seconds=0.5)
    asked = asyncio.ensure_future(refusal(stuck, f"http://{HOST}/"))
    try:
        await asyncio.sleep(0.1)
        assert "stuck" in await refusal(stuck, f"http://{HOST}/", ServerBusy)
        async with asyncio.timeout(5):
            assert await asyncio.to_thread(lambda: 1) == 1
            assert await files.run(lambda: 1) == 1
            assert "took over 0.5 s" in await asked
    finally:
        goes_on.set()


async def test_the_deadline_holds_for_tls(fetcher: Fetcher) -> None:
    silent = Origin()
    async with silent.listening(silent.wait):
        hasty = replace(fetcher, seconds=0.2, domains=[silent.name])
        assert "took over 0.2 s" in await refusal(hasty, f"https://{silent.name}/")
        await asyncio.wait_for(silent.hung_up.wait(), 2)


async def cancel(task: "asyncio.Task[bytes]") -> None:
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("head", [b"", OK, OK + LENGTH % 1000 + b"some"])
async def test_cancelling_hangs_up_at_once(fetcher: Fetcher, origin: Origin, head: bytes) -> None:
    reached = asyncio.Event()

    async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        reached.set()
        await origin.wait(reader, writer)

    origin.answers["/"] = stall
    task = asyncio.create_task(body(fetcher, f"http://{origin.name}/"))
    await reached.wait()
    await cancel(task)
    await asyncio.wait_for(origin.hung_up.wait(), 1)


async def test_cancelling_hangs_up_amid_a_tls_handshake(fetcher: Fetcher) -> None:
    silent, reached = Origin(), asyncio.Event()

    async def stall(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        reached.set()
        await silent.wait(reader, writer)

    async with silent.listening(stall):
        there = replace(fetcher, domains=[silent.name])
        task = asyncio.create_task(body(there, f"https://{silent.name}/"))
        await reached.wait()
        await cancel(task)
        await asyncio.wait_for(silent.hung_up.wait(), 1)
