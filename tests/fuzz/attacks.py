"""What hostile clients do to a server: each attack lasts at most half a minute, then it lets go."""

import io
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import requests
from PIL import Image

from tests.fuzz.clips import data_url
from tests.fuzz.corpus import corpus
from tests.fuzz.target import Target, chat

_SECONDS = 20
"""Time after which an attack gives up waiting."""
_PIECE = 1 << 16
_SCANS = 20_000


@dataclass(frozen=True)
class Attacker:
    """A client that means harm.

    Args:
        target: the server.
        key: its API key; None for a stranger.
    """

    target: Target
    key: str | None

    def post(self, path: str, body: bytes | dict[str, Any]) -> None:
        """Send a request and drop the response, however long either takes."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Content-Type": "application/json", **self._key_header()}
        with suppress(requests.RequestException):
            requests.post(self.target.url + path, data, headers=headers, timeout=_SECONDS)

    def head_of(self, path: str, **fields: str) -> bytes:
        """Return a request's head, to which further header lines may be added."""
        named = {"Host": "localhost", **self._key_header(), **fields}
        lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in named.items())]
        return "\r\n".join([*lines, ""]).encode()

    @contextmanager
    def connection(self) -> Iterator[socket.socket]:
        """Open a connection, to be used for longer than the server may like."""
        address = urlsplit(self.target.url)
        with suppress(OSError), socket.socket() as opened:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            opened.settimeout(_SECONDS)
            opened.connect((address.hostname, address.port))
            yield opened

    def _key_header(self) -> dict[str, str]:
        return {"X-API-Key": self.key} if self.key else {}


Attack = Callable[[Attacker], None]


def doubled_key(attacker: Attacker) -> None:
    """Send an object of many names, the last of which comes twice."""
    names = [f'"k{number}":0' for number in range(50_000)]
    attacker.post("/v1/chat/completions", ("{" + ",".join([*names, names[-1]]) + "}").encode())


def brackets(attacker: Attacker) -> None:
    """Send millions of empty lists."""
    attacker.post("/v1/chat/completions", b'{"messages":[' + b"[]," * 3_000_000 + b"[]]}")


def many_messages(attacker: Attacker) -> None:
    """Send a conversation of 200 000 turns."""
    messages = [{"role": "user", "content": "a"}] * 200_000
    attacker.post("/v1/chat/completions", {"model": attacker.target.model, "messages": messages})


def long_path(attacker: Attacker) -> None:
    """Name a path of a million folders."""
    attacker.post("/process_video", {"video_path": "a/" * 1_000_000, "question": "?"})


def long_url(attacker: Attacker) -> None:
    """Name a host of ten million letters that are no ASCII."""
    attacker.post("/v1/emotion", {"video": "http://" + "ä" * 5_000_000, "task": "emotion"})


def many_answers(attacker: Attacker) -> None:
    """Ask for thousands of answers at once."""
    body = chat(attacker.target.model, data_url(corpus()[0].data))
    attacker.post("/v1/chat/completions", body | {"n": 16_384, "max_tokens": 1500})


def long_answers(attacker: Attacker) -> None:
    """Ask for several answers that never end by themselves."""
    body = chat(attacker.target.model, data_url(corpus()[0].data))
    more = {"n": 4, "max_tokens": 1500, "ignore_eos": True}
    attacker.post("/v1/chat/completions", body | more)


def many_windows(attacker: Attacker) -> None:
    """Ask for a timeline of hundreds of windows, each read for 64 labels."""
    body = {"video": data_url(corpus()[0].data), "labels": [f"label {n}" for n in range(64)]}
    attacker.post("/v1/emotion", body | {"timeline": {"window": 0.2, "step": 0.002}})


def slow_picture(attacker: Attacker) -> None:
    """Send a JPEG of thousands of scans, each of which goes over the whole picture."""
    attacker.post("/v1/emotion", {"video": data_url(_many_scans()), "task": "emotion"})


def probe_with_body(attacker: Attacker) -> None:
    """Ask for work at a route that needs no key, and be slow about it."""
    with attacker.connection() as opened:
        opened.sendall(attacker.head_of("/livez", **{"Content-Length": "1000"}) + b"\r\n")
        _drip(opened, b"a")


def endless_head(attacker: Attacker) -> None:
    """Send header lines without end."""
    with attacker.connection() as opened:
        opened.sendall(attacker.head_of("/v1/emotion"))
        for _ in range(2000):
            opened.sendall(b"X-More: " + b"a" * _PIECE + b"\r\n")


def slow_body(attacker: Attacker) -> None:
    """Send a body so slowly that it never ends."""
    with attacker.connection() as opened:
        head = attacker.head_of("/v1/emotion", **{"Content-Length": "100000"})
        opened.sendall(head + b"Content-Type: application/json\r\n\r\n")
        _drip(opened, b"[")


def deaf(attacker: Attacker) -> None:
    """Ask for a long stream and read nothing of it."""
    body = chat(attacker.target.model, data_url(corpus()[0].data))
    body |= {"stream": True, "n": 8, "max_tokens": 1500, "ignore_eos": True}
    data = json.dumps(body | {"logprobs": True, "top_logprobs": 20}).encode()
    with attacker.connection() as opened:
        fields = {"Content-Type": "application/json", "Content-Length": str(len(data))}
        opened.sendall(attacker.head_of("/v1/chat/completions", **fields) + b"\r\n" + data)
        time.sleep(_SECONDS)


def leaving(attacker: Attacker) -> None:
    """Ask for a long answer, and hang up soon."""
    body = chat(attacker.target.model, data_url(corpus()[0].data))
    data = json.dumps(body | {"max_tokens": 1500, "ignore_eos": True}).encode()
    for _ in range(5):
        with attacker.connection() as opened:
            fields = {"Content-Type": "application/json", "Content-Length": str(len(data))}
            opened.sendall(attacker.head_of("/v1/chat/completions", **fields) + b"\r\n" + data)
            time.sleep(0.5)


WITH_A_KEY: tuple[Attack, ...] = (
    *(doubled_key, brackets, many_messages, long_path, long_url, many_answers, long_answers),
    *(many_windows, slow_picture, slow_body, deaf, leaving, endless_head),
)
WITHOUT: tuple[Attack, ...] = (probe_with_body, endless_head, doubled_key, slow_body)


def _drip(opened: socket.socket, letter: bytes) -> None:
    """Send a letter every now and then."""
    until = time.monotonic() + _SECONDS
    while time.monotonic() < until:
        opened.sendall(letter)
        time.sleep(1)


@cache
def _many_scans() -> bytes:
    """Return a progressive JPEG whose last scan is repeated."""
    encoded = io.BytesIO()
    Image.new("L", (4000, 4000)).save(encoded, "jpeg", progressive=True)
    data = encoded.getvalue()
    last, end = data.rindex(b"\xff\xda"), data.rindex(b"\xff\xd9")
    return data[:last] + data[last:end] * _SCANS + data[end:]
