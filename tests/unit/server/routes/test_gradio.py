"""What Gradio's clients send and get, without an engine; the clients are in `tests/e2e`."""

import contextlib
import functools
import json
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import httpx2
import pytest

from emotion_llama_server.gradio import desk
from emotion_llama_server.routes import gradio
from emotion_llama_vllm.settings import media_settings
from tests.support import waiting
from tests.support.apps.gradio import KEYS, MISSING, QUESTION, GradioApp, said

until = partial(waiting.until, seconds=10, pause=0.01)

CLIP = b"the bytes of a clip" * 100_000
"""Larger than what an upload keeps in memory."""


@pytest.fixture
def house() -> GradioApp:
    return GradioApp()


@pytest.fixture
def client(house: GradioApp) -> Iterator[httpx2.Client]:
    with house.served() as address, client_of("alice", address) as made:
        yield made


def client_of(name: str, address: str) -> httpx2.Client:
    headers = {"Authorization": f"Bearer {KEYS[name]}"}
    return httpx2.Client(base_url=address, headers=headers, timeout=20)


def question(clip: Any, **fields: Any) -> dict[str, Any]:
    return {"data": [clip, QUESTION], **fields}


def upload(client: httpx2.Client, data: bytes = CLIP) -> httpx2.Response:
    return client.post("/upload", files={"files": ("clip.mp4", data)})


def uploaded(client: httpx2.Client, data: bytes = CLIP) -> dict[str, Any]:
    (path,) = upload(client, data).raise_for_status().json()
    return {"path": path, "orig_name": "clip.mp4", "meta": {"_type": "gradio.FileData"}}


@contextlib.contextmanager
def joined(client: httpx2.Client, clip: Any = "clip.mp4") -> Iterator[Iterator[dict[str, Any]]]:
    """Ask a question as `gradio_client` does; yield the messages of its stream that follow."""
    with client.stream("GET", "/queue/join", params={"fn_index": 0, "session_hash": "s"}) as stream:
        lines = (line for line in stream.iter_lines() if line)
        messages = (json.loads(line.removeprefix("data: ")) for line in lines)
        first = next(messages)
        assert first["msg"] == "send_data"
        body = question(clip, event_id=first["event_id"], fn_index=0, session_hash="s")
        client.post("/queue/data", json=body).raise_for_status()
        yield messages


@pytest.mark.parametrize("prefix", ["", "/gradio_api"])
def test_a_question_in_the_queue_is_answered_in_its_stream(
    client: httpx2.Client, prefix: str
) -> None:
    client.base_url = f"{client.base_url}{prefix}"
    with joined(client) as messages:
        (message,) = messages
    assert message["msg"] == "process_completed"
    assert message["success"]
    assert message["output"]["data"] == [said("clip.mp4")]


def test_a_stream_tells_why_there_is_no_answer(client: httpx2.Client) -> None:
    with joined(client, "missing.mp4") as messages:
        (message,) = messages
    assert not message["success"]
    assert message["output"] == {"error": MISSING}
    event_id = client.post("/call/predict", json=question("missing.mp4")).json()["event_id"]
    told = client.get(f"/call/predict/{event_id}").text
    assert told == f'event: error\ndata: "{MISSING}"\n\n'


def test_curl_gets_the_answer_of_a_call(client: httpx2.Client) -> None:
    called = client.post("/call/predict", json=question("clip.mp4")).json()
    response = client.get(f"/call/predict/{called['event_id']}")
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["x-accel-buffering"] == "no"
    assert response.text == f"event: complete\ndata: {json.dumps([said('clip.mp4')])}\n\n"
    assert client.get(f"/call/predict/{called['event_id']}").status_code == 404


def test_a_silent_stream_has_heartbeats_and_no_comments(
    client: httpx2.Client, house: GradioApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gradio, "_HEARTBEAT_SECONDS", 0.02)
    house.engine.go_on.clear()
    with joined(client) as messages:
        assert [next(messages) for _ in range(3)] == [{"msg": "heartbeat"}] * 3
        house.engine.go_on.set()
        assert list(messages)[-1]["msg"] == "process_completed"


@pytest.mark.costly
def test_the_heartbeat_of_older_clients_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradio, "_HEARTBEAT_SECONDS", 0.1)
    house = GradioApp(request_timeout=0.3)
    with house.served() as address, client_of("alice", address) as client:
        assert client.get("/heartbeat/s").text.startswith("data: ALIVE\n\ndata: ALIVE\n\n")


@pytest.mark.parametrize("data", [b"", b"small", CLIP])
def test_an_upload_is_asked_about_once_by_its_owner_alone(
    client: httpx2.Client, data: bytes
) -> None:
    file = uploaded(client, data)
    with client_of("bob", str(client.base_url)) as bob:
        refused = bob.post("/run/predict", json=question(file))
        assert refused.status_code == 404
        assert "no such upload" in refused.json()["error"]
    assert client.post("/run/predict", json=question(file)).json()["data"] == [said(data)]
    assert client.post("/run/predict", json=question(file)).status_code == 404


def test_an_upload_goes_after_a_while(
    client: httpx2.Client, house: GradioApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house.desk.uploads, "_seconds", 0.05)
    file = uploaded(client)
    time.sleep(0.2)
    assert client.post("/run/predict", json=question(file)).status_code == 404


@pytest.mark.costly
def test_uploads_are_bounded_for_each_owner(
    client: httpx2.Client, house: GradioApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = bytes(media_settings().max_media_bytes // 2)
    for _ in range(8):
        uploaded(client, half)
    refused = upload(client)
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
    with client_of("bob", str(client.base_url)) as bob:
        file = uploaded(bob)
        assert bob.post("/run/predict", json=question(file)).status_code == 200


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"files": {"files": ("clip.mp4", bytes(70 << 20))}}, 413),
        ({"files": [("files", ("a", b"1")), ("files", ("b", b"2"))]}, 400),
        ({"files": {"video": ("clip.mp4", CLIP)}}, 400),
        ({"json": {"files": "clip.mp4"}}, 415),
        ({}, 415),
    ],
)
def test_what_is_no_upload_is_refused(
    client: httpx2.Client, request_: dict[str, Any], status: int
) -> None:
    assert client.post("/upload", **request_).status_code == status


@pytest.mark.parametrize(
    "data", [["clip.mp4"], ["clip.mp4", 1], [{"name": "x"}, "q"], [None, "q"], "clip.mp4", None]
)
def test_what_is_no_question_is_refused(client: httpx2.Client, data: Any) -> None:
    for path in ("/run/predict", "/queue/data", "/call/predict"):
        assert client.post(path, json={"data": data, "event_id": "e"}).status_code == 400


def test_a_path_is_named_as_it_is_and_an_empty_one_is_told(client: httpx2.Client) -> None:
    asked = client.post("/run/predict", json=question({"path": "/etc/passwd"}))
    assert asked.json()["data"] == [said("/etc/passwd")]
    refused = client.post("/run/predict", json=question(" "))
    assert refused.status_code == 400
    assert "empty" in refused.json()["error"]


@pytest.mark.parametrize(
    "path", ["/config", "/info", "/gradio_api/info", "/queue/join", "/heartbeat/s"]
)
def test_without_a_key_nothing_is_told(client: httpx2.Client, path: str) -> None:
    assert client.get(path, headers={"Authorization": ""}).status_code == 401


def test_a_question_holds_its_place_in_the_gate_until_it_is_answered(
    client: httpx2.Client, house: GradioApp
) -> None:
    house.engine.go_on.clear()
    with joined(client) as messages:
        until(lambda: house.engine.working == 1)
        assert house.door.working == 1
        house.engine.go_on.set()
        assert len(list(messages)) == 1
    until(lambda: house.door.inside == 0)


def test_a_client_that_leaves_its_stream_ends_the_work(
    client: httpx2.Client, house: GradioApp
) -> None:
    house.engine.go_on.clear()
    with joined(client):
        until(lambda: house.engine.working == 1)
    until(lambda: house.engine.working == house.door.inside == 0)


def test_a_question_can_be_cancelled(client: httpx2.Client, house: GradioApp) -> None:
    house.engine.go_on.clear()
    event_id = client.post("/call/predict", json=question("clip.mp4")).json()["event_id"]
    until(lambda: house.engine.working == 1)
    assert client.post("/cancel", json={"event_id": event_id}).json() == {"success": True}
    until(lambda: house.engine.working == house.door.inside == 0)
    assert client.get(f"/call/predict/{event_id}").text == ""


@pytest.mark.costly
def test_a_question_that_takes_too_long_is_told_so_and_its_connection_stays() -> None:
    house = GradioApp(request_timeout=0.2)
    house.engine.go_on.clear()
    with house.served() as address, client_of("alice", address) as client:
        with joined(client) as messages:
            (message,) = messages
            assert "took longer" in message["output"]["error"]
        event_id = client.post("/call/predict", json=question("clip.mp4")).json()["event_id"]
        assert "took longer" in client.get(f"/call/predict/{event_id}").text
        assert house.engine.working == 0


def test_answers_that_nobody_reads_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "_QUESTIONS", 2)
    house = GradioApp()
    with house.served() as address, client_of("alice", address) as client:
        call = functools.partial(client.post, "/call/predict", json=question("clip.mp4"))
        events = [call().json()["event_id"] for _ in range(2)]
        assert call().status_code == client.get("/queue/join").status_code == 503
        assert client.get(f"/call/predict/{events[0]}").status_code == 200
        assert call().status_code == 200


def test_one_owner_cannot_read_or_ask_for_the_event_of_another(client: httpx2.Client) -> None:
    event_id = client.post("/call/predict", json=question("clip.mp4")).json()["event_id"]
    with client_of("bob", str(client.base_url)) as bob:
        assert bob.get(f"/call/predict/{event_id}").status_code == 404
        body = question("clip.mp4", event_id=event_id)
        assert bob.post("/queue/data", json=body).status_code == 404
