"""The routers in deploy/routers, run before two small apps behind the gate."""

import contextlib
import hashlib
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from fastapi import Request
from starlette.responses import JSONResponse, Response

from devtools.paths import CHECKOUT
from devtools.routers import Router, envoy, haproxy, is_installed, nginx, running
from devtools.server import free_port
from emotion_llama.session import HEADER
from emotion_llama_server.settings import ServerSettings
from tests.support.apps.gated_app import GatedApp
from tests.support.apps.light_server import light_server

SESSIONS = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(24)]
HEADERS = {"Authorization": "Bearer k", "X-Request-Id": "r-1", "Accept": "text/csv"}


@dataclass
class Replica(GatedApp):
    """A small app behind the gate, which says who it is."""

    name: str
    refusal: int | None = None
    """The status of every answer but the probe's, if it refuses."""
    is_ready: bool = True
    asked: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.app.add_api_route("/readyz", self.readyz, methods=["GET"])
        self.app.add_api_route("/stream", self.stream, methods=["POST"])
        self.app.add_api_route("/v1/emotion", self.answer, methods=["POST"])

    async def readyz(self) -> Response:
        return Response(status_code=200 if self.is_ready else 503)

    async def answer(self, raw_request: Request) -> Response:
        self.asked += 1
        if self.refusal is not None:
            return Response(status_code=self.refusal, headers={"Retry-After": "2"})
        body = await raw_request.body()
        sent = {name: raw_request.headers.get(name) for name in (*HEADERS, HEADER)}
        query = raw_request.url.query
        digest = hashlib.sha256(body).hexdigest()
        return JSONResponse({"by": self.name, "body": digest, "query": query, "headers": sent})


@dataclass
class Routed:
    """Two replicas, and a client that asks them through a router."""

    replicas: list[Replica]
    client: httpx2.Client

    def ask(self, session: str | None = None, content: bytes = b"{}") -> httpx2.Response:
        headers = {} if session is None else {HEADER: session}
        return self.client.post("/v1/emotion", content=content, headers=headers)

    def who(self, session: str | None = None) -> str:
        return self.ask(session).json()["by"]

    def reset(self) -> None:
        for replica in self.replicas:
            replica.refusal, replica.is_ready, replica.asked = None, True, 0
            replica.go_on.clear()


@pytest.fixture(scope="module", params=[nginx, haproxy, envoy], ids=lambda router: router.__name__)
def router(request: pytest.FixtureRequest) -> Router:
    if not is_installed(request.param):
        pytest.skip(f"{request.param.__name__} is not installed")
    return request.param


@pytest.fixture(scope="module")
def shared(router: Router, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Routed]:
    """One router for all tests, as Envoy starts in a second."""
    with routed(router, tmp_path_factory.mktemp(router.__name__)) as made:
        yield made


@pytest.fixture
def both(shared: Routed) -> Iterator[Routed]:
    yield shared
    shared.reset()
    deadline = time.monotonic() + 10
    while {shared.who(session) for session in SESSIONS} != {"a", "b"}:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    shared.reset()


@contextlib.contextmanager
def routed(router: Router, folder: Path) -> Iterator[Routed]:
    replicas = [Replica("a"), Replica("b")]
    with contextlib.ExitStack() as stack:
        ports = [stack.enter_context(light_server(replica.app)) for replica in replicas]
        address = stack.enter_context(running(router, folder, ports, free_port()))
        yield Routed(replicas, stack.enter_context(httpx2.Client(base_url=address, timeout=20)))
        for replica in replicas:
            replica.go_on.set()


@pytest.mark.costly
def test_all_requests_of_a_session_go_to_one_replica(both: Routed) -> None:
    first = [both.who(session) for session in SESSIONS]
    assert [both.who(session) for session in SESSIONS] == first
    assert min(Counter(first).values()) >= 4
    assert len(set(first)) == 2


def test_requests_without_a_session_are_spread(both: Routed) -> None:
    spread = Counter(both.who() for _ in SESSIONS)
    assert len(spread) == 2


def test_body_query_and_headers_arrive_as_they_were_sent(both: Routed) -> None:
    upload = {"video": ("clip.mp4", bytes(2**21)), "request": (None, "{}", "application/json")}
    sent = both.client.build_request("POST", "/v1/emotion?a=1&b=%2F", files=upload, headers=HEADERS)
    body = sent.read()
    came = both.client.send(sent).json()
    assert came["body"] == hashlib.sha256(body).hexdigest()
    assert came["query"] == "a=1&b=%2F"
    assert came["headers"] == {**HEADERS, HEADER: None}


def test_the_first_event_of_a_stream_is_not_held(both: Routed) -> None:
    """HAProxy holds it for 0.21 s without http-no-delay; a busy machine may be slow once."""
    assert min(seconds_to_first_event(both) for _ in range(3)) < 0.19


def seconds_to_first_event(both: Routed) -> float:
    """Read a stream whose second event comes after the client has seen the first."""
    both.reset()
    started = time.monotonic()
    with both.client.stream("POST", "/stream") as response:
        pieces = response.iter_text()
        assert next(pieces) == "data: 1\n\n"
        seconds = time.monotonic() - started
        for replica in both.replicas:
            replica.go_on.set()
        assert "".join(pieces) == "data: 2\n\n"
    return seconds


def test_the_end_of_an_upload_is_not_held(both: Routed) -> None:
    """As it is for 40 ms by nginx without tcp_nopush; a busy machine may be slow once."""
    assert min(both.ask(content=bytes(22_000)).elapsed.total_seconds() for _ in range(5)) < 0.035


def test_what_one_replica_refuses_with_503_the_other_answers(both: Routed) -> None:
    both.replicas[0].refusal = 503
    answers = [both.ask(session, bytes(10_000)) for session in SESSIONS]
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["by"] for answer in answers} == {"b"}


def test_a_request_over_a_rate_limit_is_asked_once(both: Routed) -> None:
    for replica in both.replicas:
        replica.refusal = 429
    refused = both.ask(SESSIONS[0])
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "2")
    assert sum(replica.asked for replica in both.replicas) == 1


def test_a_client_that_is_refused_takes_no_replica_away_from_others(both: Routed) -> None:
    before = [both.who(session) for session in SESSIONS]
    for replica in both.replicas:
        replica.refusal = 503
    assert [both.ask(session).status_code for session in SESSIONS] == [503] * len(SESSIONS)
    for replica in both.replicas:
        replica.refusal = None
    assert [both.who(session) for session in SESSIONS] == before


@pytest.mark.costly
def test_a_replica_that_drains_loses_no_upload_of_any_size(router: Router, both: Routed) -> None:
    """It is not ready first, and refuses later; nginx asks no probe, but can repeat every body."""
    leaving = both.replicas[0]
    sizes = [10_000, 900_000, 20_000_000]
    leaving.is_ready = False
    if router is not nginx:
        deadline = time.monotonic() + 5
        while {both.who(session) for session in SESSIONS} != {"b"}:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    leaving.refusal = 503
    mine = [session for session in SESSIONS if both.who(session) == "b"][:4]
    for size in sizes:
        assert [both.ask(session, bytes(size)).status_code for session in mine] == [200] * 4


def test_a_replica_that_is_away_loses_nothing(router: Router, tmp_path: Path) -> None:
    remaining = Replica("b")
    with light_server(remaining.app) as port:
        ports = [free_port(), port]
        with (
            running(router, tmp_path, ports, free_port()) as address,
            httpx2.Client(base_url=address, timeout=20) as client,
            ThreadPoolExecutor(8) as pool,
        ):
            made = Routed([remaining], client)
            assert set(pool.map(made.who, SESSIONS)) == {"b"}


def test_the_routers_wait_longer_than_a_server_takes() -> None:
    for example in ("nginx.conf", "haproxy.cfg", "envoy.yaml"):
        assert "310s" in (CHECKOUT / "deploy/routers" / example).read_text(encoding="utf-8")
    assert ServerSettings().request_timeout < 310
