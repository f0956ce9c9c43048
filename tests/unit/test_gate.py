"""The gate's layers around a small app, without an engine."""

import asyncio
import json
import statistics
import time
from argparse import Namespace
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Request
from prometheus_client import REGISTRY
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Message

from emotion_llama_server.engine import until_disconnect
from emotion_llama_server.gate import Doorkeeper, Gate, prepare
from emotion_llama_server.gate.keys import KeyFormatError, KeyRing, key_ring
from emotion_llama_server.settings import ServerSettings


class House:
    """A small app behind the gate, whose rooms wait until they are told."""

    def __init__(self, *, keys: str = "", origins: tuple[str, ...] = (), **settings: Any) -> None:
        self.go_on = asyncio.Event()
        self.working = 0
        self.app = FastAPI()
        self.app.add_api_route("/work", self.work, methods=["POST"])
        self.app.add_api_route("/process_video", self.work, methods=["POST"])
        self.app.add_api_route("/stream", self.stream, methods=["POST"])
        self.app.add_api_route("/fail", self.fail, methods=["POST"])
        self.app.add_api_route("/health", self.look, methods=["GET"])
        self.app.add_api_route("/look", self.look, methods=["GET"])
        server_settings = ServerSettings(**settings)
        args = Namespace(
            server_settings=server_settings,
            key_ring=KeyRing.parse(keys.split(",")),
            cors_origins=list(origins),
            allow_credentials=False,
            allowed_methods=["*"],
            allowed_headers=["*"],
        )
        self.door: Doorkeeper = prepare(self.app.state, args)
        self.app.add_middleware(Gate)

    async def work(self, raw_request: Request) -> Response:
        await raw_request.body()
        return await self._work(raw_request=raw_request)

    async def stream(self, raw_request: Request) -> Response:
        async def events() -> AsyncIterator[bytes]:
            self.working += 1
            try:
                yield b"data: 1\n\n"
                await self.go_on.wait()
                yield b"data: 2\n\n"
            finally:
                self.working -= 1

        await raw_request.body()
        return StreamingResponse(events(), media_type="text/event-stream")

    async def fail(self) -> Response:
        raise RuntimeError("secret: at /srv/checkpoint")

    async def look(self) -> Response:
        return PlainTextResponse("seen")

    @property
    def _work(self) -> Callable[..., Any]:
        async def work(raw_request: Request) -> Response:
            self.working += 1
            try:
                await self.go_on.wait()
                return PlainTextResponse("done")
            finally:
                self.working -= 1

        return until_disconnect(work)


@dataclass
class Call:
    """One request, message by message."""

    house: House
    path: str = "/work"
    method: str = "POST"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = b"{}"
    """None: it never comes."""
    address: str = "127.0.0.1"
    leaves: asyncio.Event = field(default_factory=asyncio.Event)
    sent: list[Message] = field(default_factory=list)
    reads: int = 0

    def start(self) -> "Call":
        self.task = asyncio.ensure_future(self._run())
        return self

    async def answer(self) -> "Call":
        await asyncio.wait_for(self.start().task, 10)
        return self

    async def _run(self) -> None:
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": self.method,
            "path": self.path,
            "raw_path": self.path.encode(),
            "query_string": b"",
            "root_path": "",
            "scheme": "http",
            "client": (self.address, 1234),
            "server": ("127.0.0.1", 80),
            "headers": [(n.lower().encode(), v.encode()) for n, v in self.headers.items()],
        }
        await self.house.app(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        self.reads += 1
        if self.reads == 1 and self.body is not None:
            return {"type": "http.request", "body": self.body, "more_body": False}
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return self.sent[0]["status"] if self.sent else 0

    @property
    def answered(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def text(self) -> str:
        return b"".join(m.get("body", b"") for m in self.sent[1:]).decode()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def gauge(name: str) -> float:
    return REGISTRY.get_sample_value(f"emotion_llama_{name}") or 0.0


class TestIdentity:
    @pytest.mark.parametrize("given", ["abc", "A-1.b_2", "x" * 128])
    async def test_a_clients_own_id_is_kept(self, given: str) -> None:
        call = await Call(House(), "/look", "GET", {"X-Request-Id": given}).answer()
        assert call.answered["x-request-id"] == given

    @pytest.mark.parametrize("given", ["", "x" * 129, "a b", "host:80", "é", "a\r\nb: c"])
    async def test_another_form_of_id_is_replaced(self, given: str) -> None:
        call = await Call(House(), "/look", "GET", {"X-Request-Id": given}).answer()
        assert len(call.answered["x-request-id"]) == 32
        assert call.answered["x-request-id"] != given

    async def test_every_answer_has_the_headers(self) -> None:
        house = House()
        for path, method in (("/look", "GET"), ("/nowhere", "GET"), ("/fail", "POST")):
            answered = (await Call(house, path, method).answer()).answered
            assert answered["x-content-type-options"] == "nosniff"
            assert answered["x-frame-options"] == "DENY"
            assert "x-request-id" in answered

    async def test_a_bug_is_told_without_its_words(self) -> None:
        call = await Call(House(), "/fail").answer()
        assert call.status == 500
        assert "secret" not in call.text
        assert json.loads(call.text)["error"]["code"] == 500

    @pytest.mark.parametrize(("size", "status"), [(8000, 200), (10_000, 431)])
    async def test_a_large_header_is_refused(self, size: int, status: int) -> None:
        call = await Call(House(), "/look", "GET", {"Cookie": "x" * size}).answer()
        assert call.status == status

    async def test_many_headers_are_refused(self) -> None:
        headers = {f"x-{number}": "x" * 1000 for number in range(40)}
        assert (await Call(House(), "/look", "GET", headers).answer()).status == 431

    async def test_a_websocket_is_closed(self) -> None:
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "websocket.connect"}

        async def send(message: Message) -> None:
            sent.append(message)

        scope = {"type": "websocket", "path": "/", "headers": [], "root_path": ""}
        await House().app(scope, receive, send)
        assert [message["type"] for message in sent] == ["websocket.close"]

    async def test_another_origin_is_let_in_only_if_it_is_named(self) -> None:
        asked = {"Origin": "https://page.example"}
        closed = await Call(House(), "/look", "GET", asked).answer()
        assert "access-control-allow-origin" not in closed.answered
        house = House(origins=("https://page.example",), keys="a:k")
        answered = (await Call(house, "/look", "GET", asked).answer()).answered
        assert answered["access-control-allow-origin"] == "https://page.example"
        assert "X-Request-Id" in answered["access-control-expose-headers"]
        preflight = {**asked, "Access-Control-Request-Method": "POST"}
        call = await Call(house, "/work", "OPTIONS", preflight).answer()
        assert call.status == 200
        assert "x-request-id" in call.answered


class TestKeys:
    @pytest.mark.parametrize("path", ["/work", "/process_video", "/look", "/nowhere", "/docs"])
    async def test_without_a_key_nothing_answers(self, path: str) -> None:
        for method in ("GET", "POST", "OPTIONS"):
            call = await Call(House(keys="alice:k1"), path, method).answer()
            assert call.status == 401
            assert call.answered["www-authenticate"] == "Bearer"
            assert call.reads == 0
        error = json.loads(call.text)["error"]
        assert error == "Unauthorized" if path == "/process_video" else error["code"] == 401

    async def test_probes_need_no_key(self) -> None:
        assert (await Call(House(keys="alice:k1"), "/health", "GET").answer()).status == 200

    @pytest.mark.parametrize(
        "headers",
        [
            {"Authorization": "Bearer k1"},
            {"Authorization": "bearer k2"},
            {"X-API-Key": "k2"},
        ],
    )
    async def test_each_key_opens(self, headers: dict[str, str]) -> None:
        house = House(keys="alice:k1,bob:k2")
        assert (await Call(house, "/look", "GET", headers).answer()).status == 200

    @pytest.mark.parametrize(
        "headers",
        [
            {"Authorization": "Bearer wrong"},
            {"Authorization": "Basic k1"},
            {"Authorization": "Bearer"},
            {"Authorization": "Bearer "},
            {"Authorization": "k1"},
            {"X-API-Key": ""},
            {"X-API-Key": "alice:k1"},
            {"X-API-Key": "alice"},
            {"Authorization": "Bearer ké"},
            {"Cookie": "key=k1"},
        ],
    )
    async def test_nothing_else_does(self, headers: dict[str, str]) -> None:
        assert (await Call(House(keys="alice:k1"), "/look", "GET", headers).answer()).status == 401

    @pytest.mark.parametrize("path", ["//look", "/LOOK", "/./look", "/health/../look", "/look/"])
    async def test_no_other_way_to_write_a_path_opens(self, path: str) -> None:
        assert (await Call(House(keys="alice:k1"), path, "GET").answer()).status == 401

    async def test_the_name_and_never_the_key_is_told(
        self, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        import logging

        monkeypatch.setattr(logging.getLogger("vllm"), "propagate", True)
        caplog.set_level("INFO")
        house = House(keys="alice:thekey")
        await Call(house, "/look", "GET", {"X-API-Key": "thekey", "X-Request-Id": "i1"}).answer()
        assert "key=alice" in caplog.text
        assert "request_id=i1" in caplog.text
        assert "thekey" not in caplog.text
        name = "emotion_llama_requests_total"
        assert (REGISTRY.get_sample_value(name, {"key": "alice", "status": "200"}) or 0) > 0

    def test_a_file_and_a_setting_are_read(self, tmp_path: Path) -> None:
        path = tmp_path / "keys"
        path.write_text("# a comment\n\nalice:a:b\n  bob : k2  \nalice:new\n")
        settings = ServerSettings(api_key_file=path, api_keys="carol:k3")  # type: ignore[arg-type]
        ring = key_ring(Namespace(unnamed_keys=["plain"]), settings)
        found = [ring.find(key) for key in (b"a:b", b"k2", b"new", b"k3", b"plain", b"", b"x")]
        assert found == ["alice", "bob", "alice", "carol", "api-key", None, None]

    @pytest.mark.parametrize("text", ["key", "alice:", ":key", "a b:key", "é:key", "alice: "])
    def test_another_form_is_refused_without_being_told(self, text: str) -> None:
        with pytest.raises(KeyFormatError) as caught:
            KeyRing.parse([text])
        assert "key" not in str(caught.value).replace("name:key", "")

    def test_a_file_without_a_key_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "keys").write_text("# none yet\n")
        for path in (tmp_path / "keys", tmp_path / "missing", tmp_path):
            with pytest.raises(KeyFormatError):
                key_ring(Namespace(), ServerSettings(api_key_file=path))


class TestRate:
    async def test_each_key_has_its_own(self) -> None:
        house = House(keys="alice:a,bob:b", rate_limit="2/minute")
        house.go_on.set()
        calls = [await Call(house, headers={"X-API-Key": key}).answer() for key in "aaabba"]
        assert [call.status for call in calls] == [200, 200, 429, 200, 200, 429]
        assert 1 <= int(calls[-1].answered["retry-after"]) <= 60
        assert calls[-1].reads == 0
        assert (await Call(house, "/look", "GET", {"X-API-Key": "a"}).answer()).status == 200

    async def test_without_keys_each_address_has_its_own(self) -> None:
        house = House(rate_limit="1/minute")
        house.go_on.set()
        addresses = ["10.0.0.1", "10.0.0.2", "10.0.0.1"]
        statuses = [(await Call(house, address=a).answer()).status for a in addresses]
        assert statuses == [200, 200, 429]

    @pytest.mark.parametrize(
        ("trusted", "statuses"), [((), [200, 429]), (("127.0.0.0/8",), [200, 200])]
    )
    async def test_a_forwarded_address_counts_only_from_a_trusted_proxy(
        self, trusted: tuple[str, ...], statuses: list[int]
    ) -> None:
        house = House(rate_limit="1/minute", trusted_proxy=trusted)
        house.go_on.set()
        calls = [
            await Call(house, headers={"X-Forwarded-For": f"6.6.6.6, 203.0.113.{n}"}).answer()
            for n in range(2)
        ]
        assert [call.status for call in calls] == statuses

    async def test_what_the_client_wrote_itself_is_not_believed(self) -> None:
        """Only the last hop is the proxy's."""
        house = House(rate_limit="1/minute", trusted_proxy=("127.0.0.1/32",))
        house.go_on.set()
        calls = [
            await Call(house, headers={"X-Forwarded-For": f"1.1.1.{n}, 203.0.113.9"}).answer()
            for n in range(2)
        ]
        assert [call.status for call in calls] == [200, 429]


class TestAdmission:
    async def test_more_than_may_wait_are_refused_unread(self) -> None:
        house = House(max_in_flight=1, max_waiting=1)
        inside, waiting = Call(house).start(), Call(house).start()
        await until(lambda: house.working == 1 and gauge("requests_waiting") == 1)
        third = await Call(house, "/process_video").answer()
        assert third.status == 503
        assert third.reads == 0
        assert int(third.answered["retry-after"]) >= 1
        assert set(json.loads(third.text)) == {"error", "code", "details"}
        assert (await Call(house, "/look", "GET").answer()).status == 200
        house.go_on.set()
        await asyncio.gather(inside.task, waiting.task)
        assert [inside.status, waiting.status] == [200, 200]
        assert gauge("requests_in_flight") == gauge("requests_waiting") == 0

    async def test_a_refusal_takes_no_time(self) -> None:
        house = House(max_in_flight=1, max_waiting=0)
        inside = Call(house).start()
        await until(lambda: house.working == 1)
        took = []
        for _ in range(50):
            started = time.monotonic()
            assert (await Call(house).answer()).status == 503
            took.append(time.monotonic() - started)
        assert statistics.median(took) < 0.05
        house.go_on.set()
        await inside.task

    async def test_one_that_leaves_while_it_waits_frees_its_place(self) -> None:
        house = House(max_in_flight=1, max_waiting=1)
        inside, waiting = Call(house).start(), Call(house).start()
        await until(lambda: gauge("requests_waiting") == 1)
        waiting.leaves.set()
        await waiting.task
        assert not waiting.sent
        assert gauge("requests_waiting") == 0
        another = Call(house).start()
        await until(lambda: gauge("requests_waiting") == 1)
        house.go_on.set()
        await asyncio.gather(inside.task, another.task)
        assert another.status == 200

    @pytest.mark.parametrize("path", ["/work", "/stream"])
    async def test_one_that_leaves_ends_its_work(self, path: str) -> None:
        house = House()
        call = Call(house, path).start()
        await until(lambda: house.working == 1)
        call.leaves.set()
        await call.task
        assert house.working == 0
        assert house.door.inside == 0
        assert gauge("requests_in_flight") == 0

    async def test_one_that_leaves_during_its_upload_frees_its_slot(self) -> None:
        house = House(max_in_flight=1)
        call = Call(house, body=None).start()
        await until(lambda: call.reads > 0)
        call.leaves.set()
        await call.task
        assert house.door.inside == 0
        house.go_on.set()
        assert (await Call(house).answer()).status == 200

    async def test_a_body_is_read_whole_after_a_wait(self) -> None:
        house = House(max_in_flight=1)
        first, second = Call(house).start(), Call(house, body=b'{"x": 1}').start()
        await until(lambda: gauge("requests_waiting") == 1)
        house.go_on.set()
        await asyncio.gather(first.task, second.task)
        assert second.status == 200

    @pytest.mark.parametrize(("body", "status"), [(b"{}", 504), (None, 408)])
    async def test_a_deadline_ends_work_and_upload(self, body: bytes | None, status: int) -> None:
        house = House(request_timeout=0.2)
        call = await Call(house, body=body).answer()
        assert call.status == status
        assert house.working == 0
        assert house.door.inside == 0

    async def test_a_deadline_ends_a_wait(self) -> None:
        house = House(max_in_flight=1, request_timeout=0.3)
        first, second = Call(house).start(), Call(house).start()
        await asyncio.gather(first.task, second.task)
        assert {first.status, second.status} <= {504, 408}
        assert house.door.inside == 0
        assert house.door.has_free_slot

    async def test_a_deadline_ends_a_stream_with_an_error_event(self) -> None:
        house = House(request_timeout=0.2)
        call = await Call(house, "/stream").answer()
        assert call.status == 200
        events = call.text.split("\n\n")
        assert events[0] == "data: 1"
        assert events[1].startswith("event: error\ndata: ")
        assert json.loads(events[1].split("data: ")[1])["error"]["code"] == 504
        assert call.sent[-1].get("more_body", False) is False
        assert house.working == 0

    async def test_a_closed_door_lets_finish_who_is_inside(self) -> None:
        house = House()
        inside = Call(house, "/stream").start()
        await until(lambda: house.working == 1)
        house.door.close("The server is shutting down.")
        late = await Call(house).answer()
        assert late.status == 503
        assert "retry-after" in late.answered
        house.go_on.set()
        await inside.task
        assert inside.text == "data: 1\n\ndata: 2\n\n"

    async def test_turning_out_answers_everybody_at_once(self) -> None:
        house = House(max_in_flight=1)
        calls = [Call(house).start(), Call(house, "/process_video").start()]
        await until(lambda: house.working == 1)
        house.door.turn_out("The engine has died.")
        await asyncio.wait_for(asyncio.gather(*(call.task for call in calls)), 2)
        assert [call.status for call in calls] == [503, 503]
        assert house.door.inside == 0


class TestBody:
    async def test_a_declared_size_is_refused_unread(self) -> None:
        house = House(max_upload_mb=1)
        call = await Call(house, headers={"Content-Length": str(2 << 20)}).answer()
        assert call.status == 413
        assert call.reads == 0

    @pytest.mark.parametrize("declared", [{}, {"Content-Length": "10"}])
    async def test_a_larger_body_than_declared_is_refused(self, declared: dict[str, str]) -> None:
        house = House(max_upload_mb=1)
        call = await Call(house, headers=declared, body=b"x" * (2 << 20)).answer()
        assert call.status == 413
        assert "--max-upload-mb" in call.text
