"""How the server ends: with its engine, by signals, or because one of its tasks has failed."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from emotion_llama_server.gate import Doorkeeper
from emotion_llama_server.settings import ServerSettings
from emotion_llama_server.start import lifecycle, memory_kills
from emotion_llama_server.start.lifecycle import (
    EXIT_ENGINE_DEAD,
    EXIT_FAILED,
    EXIT_UNFINISHED,
    Lifecycle,
)
from tests.support.apps.gate import Call, House, until


class Server:
    """Records what the lifecycle tells a server."""

    def __init__(self) -> None:
        self.should_exit = self.force_exit = False
        self.server_state = SimpleNamespace(connections=[])


class Engine:
    def __init__(self) -> None:
        self.errored, self.shut_down = False, list[float]()

    def shutdown(self, timeout: float) -> None:
        self.shut_down.append(timeout)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The errors that are logged. No process ends by force."""
    told: list[str] = []
    monkeypatch.setattr(lifecycle, "end_process_within", lambda seconds, exit_code: None)
    monkeypatch.setattr(lifecycle.logger, "error", lambda words, **_: told.append(words))
    return told


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
def ending(engine: Any, told: list[str]) -> Lifecycle:
    return Lifecycle(Doorkeeper(ServerSettings()), engine, drain_seconds=0.2)


@pytest.fixture
def servers(ending: Lifecycle) -> list[Any]:
    made = [Server(), Server()]
    for server in made:
        ending.join(server)  # type: ignore[arg-type]
    return made


@pytest.fixture
async def house(ending: Lifecycle) -> House:
    """A house with the lifecycle's door."""
    made = House()
    ending.doorkeeper = made.door
    return made


def is_told_to_exit(servers: list[Any]) -> bool:
    return all(server.should_exit for server in servers)


@pytest.mark.parametrize("kills", [0, 1])
async def test_an_engine_that_the_kernel_ended_for_memory_is_told_as_that(
    monkeypatch: pytest.MonkeyPatch, engine: Any, told: list[str], kills: int
) -> None:
    counts = iter([3, 3 + kills])
    monkeypatch.setattr(memory_kills, "count_kills", lambda: next(counts))
    engine.errored = True
    ended = Lifecycle(Doorkeeper(ServerSettings()), engine, drain_seconds=0)
    await ended._watch_engine()
    assert ended.exit_code == EXIT_ENGINE_DEAD
    assert told[0] == "The engine has died."
    assert ["lower --kv-cache-memory-bytes" in words for words in told[1:]] == [True] * kills


async def test_a_task_that_fails_is_logged_and_ends_the_server(
    ending: Lifecycle, servers: list[Any], told: list[str]
) -> None:
    async def fail() -> None:
        raise ValueError("a bug")

    task = ending.start(fail())
    await asyncio.wait({task})
    await asyncio.sleep(0)
    assert told == ["A task of the server has failed; the server is ending."]
    assert is_told_to_exit(servers)
    assert ending.exit_code == EXIT_FAILED != 0
    assert ending.doorkeeper.closed is not None


async def test_a_server_that_comes_after_a_failure_ends_at_once(ending: Lifecycle) -> None:
    async def fail() -> None:
        raise ValueError("a bug")

    await asyncio.wait({ending.start(fail())})
    await asyncio.sleep(0)
    late: Any = Server()
    ending.join(late)
    assert late.should_exit


async def test_a_task_that_ends_or_is_cancelled_ends_nothing(
    ending: Lifecycle, servers: list[Any], told: list[str]
) -> None:
    ended, cancelled = ending.start(asyncio.sleep(0)), ending.start(asyncio.sleep(60))
    await ended
    cancelled.cancel()
    await asyncio.wait({cancelled})
    await asyncio.sleep(0)
    assert not told
    assert not is_told_to_exit(servers)
    assert ending.doorkeeper.closed is None


async def test_a_failure_after_a_signal_still_changes_the_exit_code(
    ending: Lifecycle, servers: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(seconds: float) -> bool:
        raise ValueError("a bug")

    monkeypatch.setattr(ending, "_emptied", fail)
    ending._on_signal()
    await until(lambda: is_told_to_exit(servers))
    assert ending.exit_code == EXIT_FAILED


async def test_a_signal_ends_the_servers_after_the_last_answer(
    ending: Lifecycle, servers: list[Any], house: House
) -> None:
    ending.drain_seconds = 5
    inside = Call(house).start()
    await until(lambda: house.working == 1)
    ending._on_signal()
    await asyncio.sleep(0.02)
    assert not is_told_to_exit(servers)
    assert (await Call(house).answer()).status == 503
    house.go_on.set()
    await inside.task
    await until(lambda: is_told_to_exit(servers))
    assert (inside.status, ending.exit_code) == (200, 0)


async def test_requests_are_taken_until_the_delay_after_the_signal_is_over(
    ending: Lifecycle, servers: list[Any], house: House
) -> None:
    ending.drain_delay = 0.3
    house.go_on.set()
    ending._on_signal()
    await asyncio.sleep(0.02)
    assert (await Call(house).answer()).status == 200
    assert not is_told_to_exit(servers)
    await until(lambda: is_told_to_exit(servers))
    assert (await Call(house).answer()).status == 503
    assert ending.exit_code == 0


async def test_a_second_signal_waits_for_no_delay_either(
    ending: Lifecycle, servers: list[Any], engine: Engine
) -> None:
    ending.drain_delay = 60
    ending._on_signal()
    ending._on_signal()
    await until(lambda: is_told_to_exit(servers))
    assert (ending.exit_code, engine.shut_down) == (EXIT_UNFINISHED, [0])


async def test_a_request_over_the_deadline_of_the_end_is_told_so(
    ending: Lifecycle, servers: list[Any], house: House
) -> None:
    inside = Call(house).start()
    await until(lambda: house.working == 1)
    ending.drain_seconds = 0
    ending._on_signal()
    await inside.task
    await until(lambda: is_told_to_exit(servers))
    assert (inside.status, ending.exit_code) == (503, 0)


async def test_a_second_signal_waits_for_nobody(
    ending: Lifecycle, servers: list[Any], house: House, engine: Engine
) -> None:
    ending.drain_seconds = 60
    inside = Call(house).start()
    await until(lambda: house.working == 1)
    ending._on_signal()
    ending._on_signal()
    await inside.task
    await until(lambda: is_told_to_exit(servers))
    assert all(server.force_exit for server in servers)
    assert (inside.status, engine.shut_down) == (503, [0])
    assert ending.exit_code == EXIT_UNFINISHED
