"""Request ids, security headers, the size of a header, and errors nobody foresaw."""

import json

import pytest
from starlette.types import Message

from tests.support.apps.gate import Call, House
from tests.support.logs import hear_vllm


@pytest.mark.parametrize("given", ["abc", "A-1.b_2", "x" * 128])
async def test_a_clients_own_id_is_kept(given: str) -> None:
    call = await Call(House(), "/look", "GET", {"X-Request-Id": given}).answer()
    assert call.answered["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "x" * 129, "a b", "host:80", "é", "a\r\nb: c"])
async def test_another_form_of_id_is_replaced(given: str) -> None:
    call = await Call(House(), "/look", "GET", {"X-Request-Id": given}).answer()
    assert len(call.answered["x-request-id"]) == 32
    assert call.answered["x-request-id"] != given


async def test_every_answer_has_the_headers() -> None:
    house = House()
    for path, method in (("/look", "GET"), ("/nowhere", "GET"), ("/fail", "POST")):
        answered = (await Call(house, path, method).answer()).answered
        assert answered["x-content-type-options"] == "nosniff"
        assert answered["x-frame-options"] == "DENY"
        assert "x-request-id" in answered


async def test_a_bug_is_told_without_its_words() -> None:
    call = await Call(House(), "/fail").answer()
    assert call.status == 500
    assert "secret" not in call.text
    assert json.loads(call.text)["error"]["code"] == "internal_error"


@pytest.mark.parametrize(("size", "status"), [(8000, 200), (10_000, 431)])
async def test_a_large_header_is_refused(size: int, status: int) -> None:
    call = await Call(House(), "/look", "GET", {"Cookie": "x" * size}).answer()
    assert call.status == status


async def test_many_headers_are_refused() -> None:
    headers: dict[str, str] = {f"x-{number}": "x" * 1000 for number in range(40)}
    assert (await Call(House(), "/look", "GET", headers).answer()).status == 431


async def test_a_websocket_is_closed() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "websocket", "path": "/", "headers": [], "root_path": ""}
    await House().app(scope, receive, send)
    assert [message["type"] for message in sent] == ["websocket.close"]


async def test_the_log_tells_of_the_pages_files_only_what_is_wrong(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    hear_vllm(caplog, monkeypatch)
    caplog.set_level("INFO")
    house = House()
    house.app.add_api_route("/page/app.js", house.look)
    for path in ("/page/app.js", "/page/nowhere.js", "/look"):
        await Call(house, path, "GET").answer()
    told = [record for record in caplog.records if record.name.endswith("server.access")]
    assert [vars(line)["path"] for line in told] == ["/page/nowhere.js", "/look"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("X" * 1_000_000, "/look"),
        ("GET\nfake line", "/look"),
        ("GET", "/" + "x" * 1_000_000),
        ("GET", "/look\r\n2026-01-01 fake\x1b[2J line\u2028"),
        ("POST", "/" + "\U0001f600" * 1000),
        ("GET", "/\ud800"),
    ],
    ids=["method", "line in a method", "path", "line in a path", "emoji", "surrogate"],
)
async def test_the_log_has_one_short_line_whatever_a_client_writes(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    hear_vllm(caplog, monkeypatch)
    caplog.set_level("INFO")
    headers = {
        "X-Request-Id": "a\nb" * 1000,
        "X-Forwarded-For": "fe80::1%\x1b[2J\nfake" + "x" * 5000,
        "X-API-Key": "k\n" * 1000,
    }
    house = House(trusted_proxy=("127.0.0.1",), keys="alice:k")
    await Call(house, path, method, headers).answer()
    lines = [record for record in caplog.records if record.name.endswith("server.access")]
    assert len(lines) == 1
    text = lines[0].getMessage()
    assert text.isascii()
    assert text.isprintable()
    assert len(text) < 600
    assert len(str(vars(lines[0]))) < 6000
