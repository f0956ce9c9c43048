"""API keys: who may ask at all, and how keys are written down."""

import json
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from emotion_llama_server.gate.keys import KeyFormatError, KeyRing, read_keys
from emotion_llama_server.settings import ServerSettings
from tests.support.apps.gate import Call, House
from tests.support.logs import hear_vllm


@pytest.mark.parametrize("path", ["/work", "/process_video", "/look", "/nowhere", "/docs/nowhere"])
async def test_without_a_key_nothing_answers(path: str) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        call = await Call(House(keys="alice:k1"), path, method).answer()
        assert call.status == 401
        assert call.answered["www-authenticate"] == "Bearer"
        assert call.reads == 0
    error = json.loads(call.text)["error"]
    assert (
        error == "Unauthorized" if path == "/process_video" else error["code"] == "invalid_api_key"
    )


async def test_probes_need_no_key() -> None:
    assert (await Call(House(keys="alice:k1"), "/health", "GET").answer()).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer k1"},
        {"Authorization": "bearer k2"},
        {"X-API-Key": "k2"},
    ],
)
async def test_each_key_opens(headers: dict[str, str]) -> None:
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
async def test_nothing_else_does(headers: dict[str, str]) -> None:
    assert (await Call(House(keys="alice:k1"), "/look", "GET", headers).answer()).status == 401


@pytest.mark.parametrize("path", ["//look", "/LOOK", "/./look", "/health/../look", "/look/"])
async def test_no_other_way_to_write_a_path_opens(path: str) -> None:
    assert (await Call(House(keys="alice:k1"), path, "GET").answer()).status == 401


async def test_the_name_and_never_the_key_is_told(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:

    hear_vllm(caplog, monkeypatch)
    caplog.set_level("INFO")
    house = House(keys="alice:thekey")
    await Call(house, "/look", "GET", {"X-API-Key": "thekey", "X-Request-Id": "i1"}).answer()
    assert "key=alice" in caplog.text
    assert "request_id=i1" in caplog.text
    assert "thekey" not in caplog.text
    name = "emotion_llama_requests_total"
    assert (
        REGISTRY.get_sample_value(name, {"key": "alice", "route": "other", "status": "200"}) or 0
    ) > 0


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "/metricsx", "/metrics/x"])
async def test_the_metrics_are_for_the_keys_that_are_named(path: str) -> None:
    house = House(keys="alice:a,prometheus:p,ops:o", metrics_key=("prometheus", "ops"))
    answers = {key: await Call(house, path, "GET", {"X-API-Key": key}).answer() for key in "apo"}
    assert [answer.status for answer in answers.values()] == [403, 404, 404]  # the house has none
    assert json.loads(answers["a"].text)["error"]["code"] == "permission_denied"
    assert (await Call(house, path, "HEAD", {"X-API-Key": "a"}).answer()).status == 403
    assert (await Call(house, path, "GET").answer()).status == 401
    assert (await Call(house, "/look", "GET", {"X-API-Key": "a"}).answer()).status == 200
    assert (await Call(house, "/health", "GET").answer()).status == 200


async def test_without_names_every_key_may_see_the_metrics() -> None:
    house = House(keys="alice:a")
    assert (await Call(house, "/metrics", "GET", {"X-API-Key": "a"}).answer()).status == 404


def test_a_file_and_a_setting_are_read(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text("# a comment\n\nalice:a:b\n  bob : k2  \nalice:new\n")
    settings = ServerSettings(api_key_file=path, api_keys="carol:k3")
    ring = read_keys(settings, unnamed=["plain"])
    found = [ring.find(key) for key in (b"a:b", b"k2", b"new", b"k3", b"plain", b"", b"x")]
    assert found == ["alice", "bob", "alice", "carol", "api-key", None, None]


@pytest.mark.parametrize("text", ["key", "alice:", ":key", "a b:key", "é:key", "alice: "])
def test_another_form_is_refused_without_being_told(text: str) -> None:
    with pytest.raises(KeyFormatError) as caught:
        KeyRing.parse([text])
    assert "key" not in str(caught.value).replace("name:key", "")


def test_a_file_without_a_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("# none yet\n")
    for path in (tmp_path / "keys", tmp_path / "missing", tmp_path):
        with pytest.raises(KeyFormatError):
            read_keys(ServerSettings(api_key_file=path))
