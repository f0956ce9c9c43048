"""Clients that take nothing of what is sent to them."""

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Iterator
from functools import partial

import pytest
from fastapi import FastAPI
from starlette.responses import Response, StreamingResponse

from emotion_llama_server.gate import Doorkeeper, Gate
from emotion_llama_server.services import install
from emotion_llama_server.settings import ServerSettings
from emotion_llama_server.start.listeners import cut_stalled
from tests.support import waiting
from tests.support.apps.light_server import HOST, light_server
from tests.support.apps.services import services

until = partial(waiting.until, seconds=30)

HUGE = 64 << 20
"""More than the kernel keeps for a client that does not read."""


class Hall:
    """An app behind the gate that has more to say than anybody takes."""

    def __init__(self) -> None:
        self.speaking = 0
        app = FastAPI()
        app.add_api_route("/stream", self.stream, methods=["POST"])
        app.add_api_route("/whole", self.whole, methods=["POST"])
        app.add_api_route("/short", self.short, methods=["POST"])
        built = services(ServerSettings(request_timeout=1, max_in_flight=1))
        self.door: Doorkeeper = built.doorkeeper
        install(app, built)
        app.add_middleware(Gate)
        self.app = app

    async def stream(self) -> Response:
        async def events() -> AsyncIterator[bytes]:
            self.speaking += 1
            try:
                while True:
                    await asyncio.sleep(0.001)  # as for a token
                    yield b"data: " + b"x" * 65536 + b"\n\n"
            finally:
                self.speaking -= 1

        return StreamingResponse(events(), media_type="text/event-stream")

    async def whole(self) -> Response:
        async def halves() -> AsyncIterator[bytes]:
            self.speaking += 1
            try:
                yield b"x" * HUGE
                await asyncio.sleep(0.001)
                yield b"x" * HUGE
            finally:
                self.speaking -= 1

        return StreamingResponse(halves(), headers={"Content-Length": str(2 * HUGE)})

    async def short(self) -> Response:
        return Response("short")


@pytest.fixture
def hall() -> Iterator[tuple[Hall, int]]:
    hall = Hall()
    with light_server(hall.app) as port:
        yield hall, port


def post(port: int, path: str) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(20)
    connection.connect((HOST, port))
    connection.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n".encode())
    return connection


@pytest.mark.parametrize("path", ["/stream", "/whole"])
@pytest.mark.costly
def test_a_client_that_does_not_read_loses_its_slot_and_connection(
    hall: tuple[Hall, int], path: str
) -> None:
    room, port = hall
    with post(port, path) as silent:
        until(lambda: room.speaking == 1)
        until(lambda: room.door.inside == 0 and room.speaking == 0)
        assert room.door.has_free_slot("")
        with post(port, "/short") as other:
            assert b"200 OK" in other.recv(65536)
        received = 0
        with contextlib.suppress(ConnectionError):
            while piece := silent.recv(1 << 20):
                received += len(piece)
        assert received < HUGE  # what was on its way, then the end of the connection


@pytest.mark.costly
def test_the_kernel_ends_a_connection_whose_client_takes_nothing() -> None:
    with socket.create_server((HOST, 0)) as listener:
        cut_stalled(listener, seconds=1)
        with socket.create_connection(listener.getsockname()):
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(30)
                began = time.monotonic()
                with pytest.raises(TimeoutError, match="timed out") as caught:
                    connection.sendall(b"x" * HUGE)
                assert caught.value.errno is not None  # the kernel's error, not Python's
                assert time.monotonic() - began < 20
