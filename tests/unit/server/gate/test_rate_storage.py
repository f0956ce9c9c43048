"""The rate limit's storage: what requests are answered while it hangs, refuses or is gone."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import limits
import pytest

from devtools.server import free_port
from emotion_llama_server import environment
from emotion_llama_server.gate import rate_storage
from emotion_llama_server.gate.rate_storage import Storage, StorageFailure
from emotion_llama_server.settings import ServerSettings
from emotion_llama_server.start import lifecycle, serve
from emotion_llama_server.start.lifecycle import EXIT_FAILED
from emotion_llama_vllm import metrics
from tests.support.apps.gate import Call, House, gauge, until
from tests.support.logs import hear_vllm
from tests.support.services.redis import Redis, needs_redis

pytestmark = pytest.mark.usefixtures("log_of_the_tests")

ERRORS, UP = "rate_limit_storage_errors_total", "rate_limit_storage_up"
REDIS_URIS = [
    *("redis://127.0.0.1:{port}", "rediss://127.0.0.1:{port}", "redis+unix://{unix}"),
    *("redis+cluster://127.0.0.1:{port}", "redis+sentinel://127.0.0.1:{port}/main"),
]


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_storage, "RETRY_SECONDS", 0.1)
    metrics.rate_limit_storage_up.set(1)  # as when a server starts


@pytest.fixture
def log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> pytest.LogCaptureFixture:
    hear_vllm(caplog, monkeypatch)
    caplog.set_level("WARNING")  # some library that other tests load raises the root's
    return caplog


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    server = Redis(tmp_path).start()
    yield server
    server.kill()


@pytest.fixture
async def silent(tmp_path: Path) -> AsyncIterator[dict[str, object]]:
    """A port and a socket that take connections and never answer."""
    # A protocol alone: streams close their writers in handlers, which a loop that ends may not run.
    loop, path = asyncio.get_running_loop(), tmp_path / "silent.sock"
    port = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
    unix = await loop.create_unix_server(asyncio.Protocol, path)
    async with port, unix:
        yield {"port": port.sockets[0].getsockname()[1], "unix": path}


def house(uri: str, rate: str = "2/minute", fail: str = "open") -> House:
    made = House(rate_limit=rate, rate_limit_storage=uri, rate_limit_fail=fail)
    made.go_on.set()
    return made


async def statuses(house: House, count: int) -> list[int]:
    """Ask one after the other."""
    return [(await Call(house).answer()).status for _ in range(count)]


def told(log: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in log.records if "storage" in r.getMessage()]


@needs_redis
@pytest.mark.parametrize("uri", ["redis://127.0.0.1:{port}", "redis+unix://{unix}"])
async def test_replicas_count_together(redis: Redis, uri: str) -> None:
    uri = uri.format(port=redis.port, unix=redis.unix)
    one, other = house(uri, "3/minute"), house(uri, "3/minute")
    assert await statuses(one, 2) == [200, 200]
    assert await statuses(other, 2) == [200, 429]
    refused = await Call(one).answer()
    assert refused.status == 429
    assert 1 <= int(refused.answered["retry-after"]) <= 60


@needs_redis
@pytest.mark.costly
async def test_a_cluster_counts_too(tmp_path: Path) -> None:
    flags = ("--cluster-enabled", "yes", "--cluster-port", str(free_port()))
    redis = Redis(tmp_path, flags).start()
    try:
        redis.tell("CLUSTER ADDSLOTSRANGE 0 16383")
        await until(lambda: "cluster_state:ok" in redis.tell("CLUSTER INFO"))
        served = house(f"redis+cluster://127.0.0.1:{redis.port}")
        # The first connection to a cluster may take longer than a request waits to be counted.
        await Call(served, address="192.0.2.1").answer()
        await until(lambda: gauge(UP) == 1)
        assert await statuses(served, 3) == [200, 200, 429]
    finally:
        redis.kill()


async def test_a_recovery_that_fails_is_logged_and_ends_the_server(
    monkeypatch: pytest.MonkeyPatch, log: pytest.LogCaptureFixture
) -> None:
    async def fail(self: Storage) -> None:
        raise ValueError("a bug in the storage")

    monkeypatch.setattr(Storage, "check", fail)
    monkeypatch.setattr(lifecycle, "end_process_within", lambda seconds, exit_code: None)
    served = house(f"redis://127.0.0.1:{free_port()}")
    assert await statuses(served, 1) == [200]
    await until(lambda: served.door.closed is not None)
    assert served.services.lifecycle.exit_code == EXIT_FAILED
    assert "a bug in the storage" in log.text


async def test_a_clock_that_is_set_back_locks_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    served, now = house("memory://"), time.time
    assert await statuses(served, 3) == [200, 200, 429]
    monkeypatch.setattr(time, "time", lambda: now() - 3600)
    assert await statuses(served, 3) == [200, 200, 429]


@needs_redis
async def test_a_clock_that_is_set_back_locks_nobody_out_of_redis(
    redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    served, now = house(f"redis://127.0.0.1:{redis.port}"), time.time
    assert await statuses(served, 3) == [200, 200, 429]
    monkeypatch.setattr(time, "time", lambda: now() - 3600)
    assert await statuses(served, 3) == [200, 200, 429]


def stop(redis: Redis) -> Callable[[], object]:
    redis.pause()
    return redis.go_on


def kill(redis: Redis) -> Callable[[], object]:
    redis.kill()
    return redis.start


def refuse_to_grow(redis: Redis) -> Callable[[], object]:
    redis.tell("CONFIG SET maxmemory 1")
    return lambda: redis.tell("CONFIG SET maxmemory 0")


def be_a_replica(redis: Redis) -> Callable[[], object]:
    redis.tell("REPLICAOF 127.0.0.1 1")
    return lambda: redis.tell("REPLICAOF NO ONE")


def want_a_password(redis: Redis) -> Callable[[], object]:
    redis.tell("CONFIG SET requirepass hidden", "CLIENT KILL TYPE normal SKIPME yes")
    return lambda: redis.tell("AUTH hidden", 'CONFIG SET requirepass ""')


FAULTS = [stop, kill, refuse_to_grow, be_a_replica, want_a_password]


@needs_redis
@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.costly
async def test_without_it_requests_go_ahead_and_are_counted_again_after(
    redis: Redis, log: pytest.LogCaptureFixture, fault: Callable[[Redis], Callable[[], object]]
) -> None:
    served = house(redis.uri, "5/minute")
    assert await statuses(served, 1) == [200]
    await until(lambda: gauge(UP) == 1)  # on a busy machine its first answer may be late
    log.clear()
    errors = gauge(ERRORS)
    mend = fault(redis)
    started = time.monotonic()
    calls = await asyncio.gather(*(Call(served).answer() for _ in range(20)))
    assert {call.status for call in calls} == {200}
    assert await statuses(served, 20) == [200] * 20
    assert time.monotonic() - started < 5
    assert gauge(UP) == 0
    assert gauge(ERRORS) > errors
    await asyncio.sleep(0.5)  # some attempts more, which the log does not tell
    assert len(told(log)) == 1
    assert not any(record.exc_info for record in log.records)
    assert "hidden" not in log.text
    mend()
    await until(lambda: gauge(UP) == 1)
    assert 429 in await statuses(served, 6)
    assert [message.split(" storage ")[1].split()[0] for message in told(log)] == ["has", "works"]


@needs_redis
@pytest.mark.costly
async def test_closed_without_it_requests_are_refused_unread(redis: Redis) -> None:
    served = house(redis.uri, "100/minute", fail="closed")
    assert await statuses(served, 2) == [200, 200]
    redis.pause()
    for path in ("/work", "/process_video", "/work"):
        call = await Call(served, path).answer()
        assert (call.status, call.reads) == (503, 0)
        assert float(call.answered["retry-after"]) > 0
    assert (await Call(served, "/look", "GET").answer()).status == 200
    redis.go_on()
    await until(lambda: gauge(UP) == 1)
    assert await statuses(served, 2) == [200, 200]


@pytest.mark.parametrize("uri", REDIS_URIS)
@pytest.mark.costly
async def test_one_that_never_answers_holds_nobody_up(
    silent: dict[str, object], uri: str, log: pytest.LogCaptureFixture
) -> None:
    served = house(uri.format(**silent))
    started = time.monotonic()
    calls = await asyncio.gather(*(Call(served).answer() for _ in range(10)))
    assert {call.status for call in calls} == {200}
    assert await statuses(served, 10) == [200] * 10
    assert time.monotonic() - started < 5
    assert len(told(log)) == 1
    assert "does not answer within" in told(log)[0]


@pytest.mark.parametrize("uri", REDIS_URIS)
async def test_one_that_is_not_there_holds_nobody_up(uri: str, tmp_path: Path) -> None:
    served = house(uri.format(port=free_port(), unix=tmp_path / "nothing"))
    assert await statuses(served, 10) == [200] * 10
    assert gauge(UP) == 0


@pytest.mark.parametrize(
    "uri",
    [
        *("carrier-pigeon://", "", "redis", "redis://127.0.0.1:port", "redis://[::1"),
        *("redis+sentinel://127.0.0.1:26379", "memcached://127.0.0.1:11211"),
    ],
)
def test_what_is_no_storage_is_refused_without_its_password(uri: str) -> None:
    with pytest.raises(ValueError, match="redis://host:port"):
        ServerSettings(rate_limit_storage=uri)


def one_sentence(
    environment_: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], uri: str
) -> str:
    """Return what `serve` says when it cannot start with this storage."""
    environment_.setattr(environment, "mismatched_companions", list)
    flags = ["--port", str(free_port()), "--legacy-port", str(free_port())]
    flags += ["--rate-limit", "5/minute", "--rate-limit-storage", uri]
    assert serve.main(flags) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if "serve:" in line]
    assert len(lines) == 1
    assert "--rate-limit-storage" in lines[0]
    assert len(lines[0]) < 400
    return lines[0]


def test_a_wrong_port_ends_the_start(
    clean_environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    uri = f"redis://:hidden@127.0.0.1:{free_port()}"
    assert "hidden" not in one_sentence(clean_environment, capsys, uri)


@pytest.mark.costly
def test_a_storage_that_never_answers_ends_the_start(
    clean_environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clean_environment.setattr(rate_storage, "CHECK_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        uri = f"redis://127.0.0.1:{listener.getsockname()[1]}"
        assert "does not answer" in one_sentence(clean_environment, capsys, uri)


@needs_redis
@pytest.mark.parametrize(
    ("flags", "user", "reason"),
    [
        (("--requirepass", "right"), ":hidden@", "password"),
        (("--requirepass", "right"), "", "Authentication required"),
        (("--maxmemory", "1"), "", "memory"),
        (("--replicaof", "127.0.0.1 1"), "", "read only"),
    ],
)
def test_a_storage_that_refuses_ends_the_start(
    clean_environment: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    flags: tuple[str, ...],
    user: str,
    reason: str,
) -> None:
    redis = Redis(tmp_path, flags).start()
    try:
        uri = f"redis://{user}127.0.0.1:{redis.port}"
        words = one_sentence(clean_environment, capsys, uri)
    finally:
        redis.kill()
    assert "hidden" not in words
    assert reason in words


@needs_redis
async def test_a_storage_that_works_passes_the_check(redis: Redis) -> None:
    await Storage(limits.parse("1/minute"), redis.uri).check()
    with pytest.raises(StorageFailure):
        await Storage(limits.parse("1/minute"), f"redis://127.0.0.1:{free_port()}").check()
