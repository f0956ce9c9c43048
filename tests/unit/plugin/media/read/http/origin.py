"""An origin that sends anything, a resolver that answers anything, and what comes of a URL."""

import asyncio
import contextlib
import io
import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

import pytest

from emotion_llama_vllm.media.errors import MediaError
from emotion_llama_vllm.media.read.http import Fetcher

CLIP = bytes(range(256)) * 40
OK = b"HTTP/1.1 200 OK\r\n"
LENGTH = b"Content-Length: %d\r\n\r\n"
PUBLIC = "93.184.216.34"
HOST = "clips.example"

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Origin:
    """A server that sends what it is told to, whether or not that is HTTP."""

    port: int = 0
    answers: dict[str, bytes | Serve] = field(default_factory=dict)
    requests: list[bytes] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    connections: int = 0
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def name(self) -> str:
        return f"{HOST}:{self.port}"

    @contextlib.asynccontextmanager
    async def listening(
        self, serve: Serve, tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
    ) -> AsyncIterator[None]:
        """Serve, and see to it that no client leaves a connection open."""
        tasks: set[asyncio.Task[None] | None] = set()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.add(asyncio.current_task())
            self.connections += 1
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                await serve(reader, writer)
            with contextlib.suppress(ConnectionError, ssl.SSLError):
                writer.close()
                await writer.wait_closed()

        server = await asyncio.start_server(connected, host, 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        yield
        server.close()
        async with asyncio.timeout(2):
            await asyncio.gather(*filter(None, tasks))

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append(await reader.readuntil(b"\r\n\r\n"))
        answer = self.answers[self.requests[-1].split()[1].decode()]
        if isinstance(answer, bytes):
            writer.write(answer)
            await writer.drain()
        else:
            await answer(reader, writer)

    async def wait(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Say nothing more until the client has hung up."""
        with contextlib.suppress(ConnectionError):
            await reader.read()
        self.hung_up.set()


async def never_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(OK + b"\r\n")
    while not reader.at_eof():
        writer.write(CLIP)
        await writer.drain()


class Names:
    """A resolver that gives one answer after the other, the last one from then on."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self.answers = {name.replace("_", "."): list(given) for name, given in answers.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        answers = self.answers.get(host)
        if not answers:
            raise socket.gaierror(socket.EAI_NONAME, "no such host")
        return answers.pop(0) if len(answers) > 1 else answers[0]


def public(fetcher: Fetcher, *answers: Sequence[str], domain: str = HOST) -> tuple[Fetcher, Names]:
    """The same for a host without privileges at `domain`, with these addresses."""
    names = Names()
    names.answers[domain] = list(answers)
    written = f"[{domain}]" if ":" in domain else domain
    return replace(fetcher, domains=[written], private_hosts=[], resolve=names), names


def redirect(location: str, status: int = 302) -> bytes:
    head = f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\nSet-Cookie: a=b\r\n"
    return head.encode() + LENGTH % 0


async def body(fetcher: Fetcher, url: str) -> bytes:
    into = io.BytesIO()
    await fetcher.fetch(url, into)
    return into.getvalue()


async def refusal(fetcher: Fetcher, url: str, kind: type[MediaError] = MediaError) -> str:
    """Why `url` is refused, in a sentence that tells no address and no query."""
    with pytest.raises(MediaError) as caught:
        await body(fetcher, url)
    assert type(caught.value) is kind
    message = str(caught.value)
    assert message.endswith(".")
    assert "secret" not in message
    asked = (urlsplit(url).hostname or "") if "[" not in url else url
    for address in re.findall(r"\d+\.\d+\.\d+\.\d+|[0-9a-f]*::[0-9a-f:]*", message):
        assert address in asked
    return message
