"""vLLM's chat route behind our reading of bodies: what is refused before vLLM looks at it."""

import base64
import json
import threading
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response
from vllm.entrypoints.openai.chat_completion.api_router import router
from vllm.entrypoints.openai.chat_completion.protocol import ChatCompletionResponse
from vllm.entrypoints.serve.engine.protocol import UsageInfo
from vllm.entrypoints.serve.utils.api_utils import validate_json_request
from vllm.exceptions import VLLMValidationError

from emotion_llama_server import strict_json
from emotion_llama_server.chat.validation import check_json_request
from emotion_llama_server.routes import error_route, exposure
from emotion_llama_server.services import install
from emotion_llama_server.settings import ServerSettings
from tests.support.apps.services import services

CHAT = "/v1/chat/completions"
LINES = base64.encodebytes(b"\x89PNG\r\n\x1a\n" + bytes(5 << 20)).decode()
USER = {"role": "user", "content": "x"}


class FakeChat:
    """Stands for vLLM's part behind the route."""

    error: Exception | None = None
    request: Any = None

    async def create_chat_completion(self, request: Any, raw_request: Any) -> Any:
        self.request = request
        if self.error is not None:
            raise self.error
        return ChatCompletionResponse(model="m", choices=[], usage=UsageInfo())


@pytest.fixture
def fake() -> FakeChat:
    return FakeChat()


@pytest.fixture
def client(fake: FakeChat, monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setenv("VLLM_MAX_N_SEQUENCES", "8")
    app = FastAPI()
    app.include_router(router)
    exposure.close_others(app, ())
    exposure.read_strictly(app)
    app.dependency_overrides[validate_json_request] = check_json_request
    error_route.install(app)
    app.state.openai_serving_chat = fake
    install(app, services(ServerSettings(max_answer_tokens=100, allow_text_only=True)))
    return TestClient(app)


def ask(client: TestClient, **fields: Any) -> Response:
    return client.post(CHAT, json={"model": "m", "messages": [USER], **fields})


def content(*parts: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": list(parts)}]}


def clip(url: str) -> dict[str, Any]:
    return content({"type": "video_url", "video_url": {"url": url}})


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"messages": [USER] * 256},
        content(*[{"type": "text", "text": "x"}] * 256),
        clip("data:video/mp4;base64," + "A" * (6 << 20)),
        clip("DATA:video/mp4;base64," + "A" * 100_000),
        clip("http://host/" + "x" * 8000),
        clip(LINES),
        content({"type": "file", "file": {"file_data": LINES}}),
        {"n": 8, "max_tokens": 100, "stop": ["a", "b"], "logprobs": True, "top_logprobs": 5},
        {"vllm_xargs": {"generated_repetition_penalty": 1.05}},
        {"messages": [{"role": "user", "content": "字" * 300_000}]},
        {"n": None, "max_tokens": None, "stop": None, "bad_words": ["x"]},
    ],
    ids=range(12),
)
def test_what_makes_sense_passes(client: TestClient, fields: dict[str, Any]) -> None:
    response = ask(client, **fields)
    assert response.status_code == 200, response.text


TOO_MUCH: dict[str, tuple[dict[str, Any], str]] = {
    "messages": ({"messages": [USER] * 257}, "messages"),
    "parts": (content(*[{"type": "text", "text": "x"}] * 257), "messages"),
    "parts of several": ({"messages": [content("x", "y")["messages"][0]] * 129}, "messages"),
    "text": ({"messages": [{"role": "user", "content": "x" * 4_200_000}]}, "messages"),
    "a data URL as text": (content({"type": "text", "text": "data:" + "x" * 5_000_000}), ""),
    "a URL": (clip("http://host/" + "x" * 8192), "messages"),
    "a URL of other letters": (clip("http://" + "é" * 10_000), "messages"),
    "a URL as the part": (content({"type": "video_url", "video_url": "x" * 9000}), "messages"),
    "a role": ({"messages": [{"role": "x" * 2000, "content": "x"}]}, "messages"),
    "a type": (content({"type": "x" * 2000}), "messages"),
    "n": ({"n": 9}, "n"),
    "n as text": ({"n": "9"}, "n"),
    "n as a fraction": ({"n": 9.0}, "n"),
    "best_of": ({"best_of": 9}, "best_of"),
    "beams": ({"n": 9, "use_beam_search": True}, "n"),
    "max_tokens": ({"max_tokens": 101}, "max_tokens"),
    "max_tokens as text": ({"max_tokens": " 1e9 "}, "max_tokens"),
    "max_completion_tokens": ({"max_completion_tokens": 101}, "max_completion_tokens"),
    "min_tokens": ({"min_tokens": 101}, "min_tokens"),
    "logprobs": (
        {"logprobs": True, "n": 8, "top_logprobs": 30, "max_tokens": 100},
        "max_tokens",
    ),
    "prompt_logprobs": ({"prompt_logprobs": 2}, "prompt_logprobs"),
    "echo": ({"echo": True, "top_logprobs": 5}, "prompt_logprobs"),
    "bad_words": ({"bad_words": ["x"] * 65}, "bad_words"),
    "long bad words": ({"bad_words": ["x" * 1025]}, "bad_words"),
    "stop_token_ids": ({"stop_token_ids": [1] * 1025}, "stop_token_ids"),
    "allowed_token_ids": ({"allowed_token_ids": [1] * 1025}, "allowed_token_ids"),
    "stop": ({"stop": "x" * 1025}, "stop"),
    "documents": ({"documents": [{"text": "x" * 2000}]}, "documents"),
    "user": ({"user": "x" * 1025}, "user"),
    "pattern": (
        {"repetition_detection": {"max_pattern_size": 65, "min_count": 2}},
        "repetition_detection.max_pattern_size",
    ),
    "xargs": ({"vllm_xargs": {"kv_transfer_params": "x"}}, "vllm_xargs"),
    "other xargs": ({"vllm_xargs": {"x": 1}}, "vllm_xargs"),
    "transfer": ({"kv_transfer_params": {"prompt_token_ids": [1]}}, "kv_transfer_params"),
    "an object inside": ({"x": {"y": {"z": ["x" * 1025]}}}, "x"),
}


@pytest.mark.parametrize(("alternatives", "most"), [(20, 100), (600, 34)])
def test_an_answer_of_unnamed_length_has_room_for_its_logprobs(
    client: TestClient, fake: FakeChat, alternatives: int, most: int
) -> None:
    asked = {"logprobs": True, "top_logprobs": alternatives, "max_tokens": None}
    assert ask(client, **asked).status_code == 200
    assert fake.request.model_dump()["max_tokens"] == most


@pytest.mark.parametrize("name", TOO_MUCH)
@pytest.mark.costly
def test_what_is_too_much_is_refused_and_named(client: TestClient, name: str) -> None:
    fields, param = TOO_MUCH[name]
    response = ask(client, **fields)
    assert response.status_code in (400, 413), response.text
    error = response.json()["error"]
    assert error["message"]
    assert not param or error["param"] == param
    assert len(response.text) < 1000


@pytest.mark.parametrize("name", ["/a" * 8000, "x" * 300, "/usr" * (1 << 20)])
def test_a_long_model_name_is_unknown_at_once(client: TestClient, name: str) -> None:
    """vLLM repeats it, and searches it for paths in time that grows with its cube."""
    response = ask(client, model=name)
    assert response.status_code == 404
    assert response.json()["error"]["param"] == "model"
    assert len(response.text) < 1000


@pytest.mark.parametrize(
    "fields",
    [
        {"tool_choice": "/a" * 500},
        {"temperature": "/a" * 500},
        {"messages": [{"role": "/a" * 500}]},
        {"messages": [1] * 256},
        {"logit_bias": {"/a" * 500: "x"}},
    ],
    ids=range(5),
)
def test_what_is_wrong_is_told_shortly(client: TestClient, fields: dict[str, Any]) -> None:
    response = ask(client, **fields)
    assert response.status_code == 400
    assert len(response.text) < 1000


@pytest.mark.parametrize("text", ["/a" * 8000, "x" * (1 << 20), " at 0x1>" * 9000])
def test_an_exception_that_repeats_the_request_is_cut(
    client: TestClient, fake: FakeChat, text: str
) -> None:
    fake.error = VLLMValidationError(f"Bad: {text}.", parameter=text, value=[text])
    response = ask(client)
    assert response.status_code == 400
    assert response.json()["error"]["message"].startswith("Bad: ")
    assert len(response.text) < 2000


def test_a_body_is_parsed_once_and_a_large_one_off_the_loop(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []
    parse_now = strict_json.parse_now

    def counted(body: bytes) -> Any:
        threads.append(threading.get_ident())
        return parse_now(body)

    monkeypatch.setattr(strict_json, "parse_now", counted)
    with client:  # its loop has one thread
        loop_thread = client.portal.call(threading.get_ident)  # type: ignore[union-attr]
        assert ask(client).status_code == 200
        assert ask(client, **clip("data:," + "A" * 1_000_000)).status_code == 200
    assert len(threads) == 2
    assert threads[0] == loop_thread
    assert threads[1] != loop_thread


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_another_content_type_is_refused(client: TestClient, kind: str) -> None:
    data = json.dumps({"model": "m", "messages": [USER]}).encode()
    response = client.post(CHAT, content=data, headers={"Content-Type": kind})
    assert response.status_code == 415
    assert "application/json" in response.json()["error"]["message"]
