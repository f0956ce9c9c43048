"""The second port alone, and the addresses of both ports."""

import asyncio
import errno
import socket
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import requests
import uvicorn
from fastapi import FastAPI

from devtools.server import free_port
from emotion_llama_server.gate import Doorkeeper
from emotion_llama_server.services import install
from emotion_llama_server.settings import ServerSettings
from emotion_llama_server.start import lifecycle
from emotion_llama_server.start.addresses import claim
from emotion_llama_server.start.lifecycle import EXIT_FAILED, Lifecycle
from emotion_llama_server.start.listeners import LegacyListener, cut_stalled
from tests.support.apps.gate import until
from tests.support.apps.services import services
from tests.support.apps.two_ports import flags, look

HOST = "127.0.0.1"


class Watched(Lifecycle):
    """Leaves the signals of the tests' own process alone."""

    def watch(self, server: uvicorn.Server) -> None:
        self.join(server)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """The logged errors. No process ends by force."""
    told: list[BaseException] = []
    monkeypatch.setattr(lifecycle, "end_process_within", lambda seconds, exit_code: None)
    monkeypatch.setattr(lifecycle.logger, "error", lambda _, exc_info: told.append(exc_info))
    return told


@dataclass
class Second:
    """Holds the second port of an app, and in vLLM's place a first server that does nothing."""

    on_ready: Callable[[FastAPI], None]
    kind: type[Lifecycle] = Watched

    def __post_init__(self) -> None:
        self.port, self.app = free_port(), FastAPI()
        self.app.add_api_route("/look", look)
        self.first = self.app.state.server = uvicorn.Server(uvicorn.Config(self.app))
        door, engine = Doorkeeper(ServerSettings()), SimpleNamespace(errored=False)
        self.lifecycle = self.kind(door, engine, 5)  # type: ignore[arg-type]
        install(self.app, services(lifecycle=self.lifecycle, doorkeeper=door))
        self.listener = LegacyListener(flags(HOST), self.port, self.on_ready)

    async def start(self) -> None:
        self.listener.prepare(self.app)
        await self.listener.start()


async def test_the_second_port_answers_until_the_server_ends(told: list[BaseException]) -> None:
    ready: list[FastAPI] = []
    second = Second(ready.append)
    await second.start()
    await until(lambda: bool(ready))
    url = f"http://{HOST}:{second.port}/look"
    answer = await asyncio.to_thread(requests.get, url, timeout=5)
    assert (answer.json(), ready) == ("seen", [second.app])
    del second.app.state  # as vLLM does when its server has ended
    await second.listener.stop()
    assert not told
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, second.port), timeout=5)


async def test_a_second_port_that_fails_is_logged_and_ends_the_server(
    told: list[BaseException],
) -> None:
    failure = ValueError("a bug in the banner")

    def fail(_: FastAPI) -> None:
        raise failure

    second = Second(fail)
    await second.start()
    await until(lambda: second.first.should_exit)
    await second.listener.stop()
    assert told == [failure]
    assert second.listener.exit_code == EXIT_FAILED != 0


async def test_a_second_port_that_another_program_took_ends_the_server_with_that_error(
    told: list[BaseException],
) -> None:
    second = Second(lambda _: None)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind((HOST, second.port))
        other.listen()
        await second.start()
        await until(lambda: second.first.should_exit)
        with pytest.raises(OSError, match="in use"):
            await second.listener.stop()
    assert second.listener.exit_code == EXIT_FAILED


async def test_a_server_that_cannot_be_watched_ends(told: list[BaseException]) -> None:
    class Blind(Watched):
        def watch(self, server: uvicorn.Server) -> None:
            super().watch(server)
            raise ValueError("a bug in the handlers")

    second = Second(lambda _: None, Blind)
    second.listener.prepare(second.app)
    await until(lambda: second.first.should_exit)
    await second.listener.stop()
    assert [str(error) for error in told] == ["a bug in the handlers"]
    assert second.listener.exit_code == EXIT_FAILED


async def test_a_second_port_that_never_listened_is_closed_with_exit_code_0() -> None:
    listener = LegacyListener(flags(HOST), port := free_port(), lambda _: None)
    await listener.stop()
    assert listener.exit_code == 0
    claim(HOST, port).close()
    with socket.socket() as free:
        free.bind((HOST, port))


def test_a_connection_is_cut_after_the_seconds_in_which_its_client_reads_nothing() -> None:
    with socket.socket() as tcp, socket.socket(socket.AF_UNIX) as unix:
        cut_stalled(tcp, 7)
        cut_stalled(unix, 7)
        assert tcp.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 7000


def test_a_second_server_does_not_get_an_address_that_only_begins_to_be_used() -> None:
    port = free_port()
    with claim("127.0.0.1", port), claim("::1", port):
        with pytest.raises(OSError, match="in use") as refused:
            claim("127.0.0.1", port)
        assert refused.value.errno == errno.EADDRINUSE
    claim("127.0.0.1", port).close()
