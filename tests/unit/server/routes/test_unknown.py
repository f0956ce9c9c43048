"""What a client is told that asks a route which is not there, or in a way that is not taken."""

import gzip
import json

import pytest

from tests.support.apps.gate import Call, House
from tests.support.apps.vllm_app import MODEL, VllmApp, vllm_app

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def app(clean_environment: pytest.MonkeyPatch) -> VllmApp:
    return vllm_app(clean_environment)


async def told(app: VllmApp, path: str, method: str = "POST") -> str:
    """Return the words of a 404."""
    call = await Call(app, path, method, body=None).answer()
    assert (call.status, call.reads) == (404, 0)
    error = json.loads(call.text)["error"]
    assert error["code"] == "route_not_found"
    return error["message"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/v1/responses", "POST /v1/chat/completions (OpenAI's SDK: `client.chat.completions"),
        ("/v1/completions", "POST /v1/chat/completions"),
        ("/v1/embeddings", "POST /v1/emotion answers with the probability of every label"),
        ("/v1/files", "--data-dir DIR"),
        ("/v1/files/file-1/content", "--data-dir DIR"),
        ("/v1/batches", "--data-dir DIR"),
        ("/v1/audio/transcriptions", "POST /v1/emotion"),
        ("/v1/messages", "not Anthropic's"),
        ("/api/chat", "not Ollama's"),
        ("/chat/completions", "ask /v1/chat/completions"),
        ("/v1/v1/chat/completions", "ask /v1/chat/completions"),
        ("/v1/process_video", "ask /process_video"),
        ("/process_vidoe", "here: use /process_video."),
        ("/v1/emotions", "here: use /v1/emotion."),
        ("/v1/chat/completion", "here: use /v1/chat/completions."),
        ("/nowhere", "GET /docs"),
    ],
)
@pytest.mark.costly
async def test_a_route_that_is_not_there_names_the_one_to_ask(
    app: VllmApp, path: str, words: str
) -> None:
    message = await told(app, path)
    assert message.startswith(f"No POST {path} here: ")
    assert words in message


async def test_what_a_client_wrote_is_escaped_and_cut(app: VllmApp) -> None:
    message = await told(app, "/\x1b[2J\n" + "x" * 100_000)
    assert message.isprintable()
    assert len(message) < 500


async def test_another_method_is_told_with_those_that_are_there(app: VllmApp) -> None:
    call = await Call(app, "/v1/emotion", "GET").answer()
    error = json.loads(call.text)["error"]
    assert (call.status, error["code"]) == (405, "method_not_allowed")
    assert error["message"] == "No GET /v1/emotion here: use POST."


async def test_one_model_is_described_by_its_name(app: VllmApp) -> None:
    call = await Call(app, f"/v1/models/{MODEL}", "GET").answer()
    assert call.status == 200
    assert json.loads(call.text)["id"] == MODEL
    missing = await Call(app, "/v1/models/gpt-4o", "GET").answer()
    error = json.loads(missing.text)["error"]
    assert (missing.status, error["code"], error["param"]) == (404, "model_not_found", "model")
    # vLLM answers a chat with the same sentence.
    assert error["message"] == f"The model `gpt-4o` does not exist. Valid aliases: {MODEL}."


@pytest.mark.parametrize(
    "path", ["/v1/chat/completions", "/v1/emotion", "/api/predict/", "/process_video"]
)
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain"])
async def test_a_body_that_is_no_json_is_refused_in_plain_words(
    app: VllmApp, path: str, kind: str
) -> None:
    call = await Call(app, path, headers={"Content-Type": kind}).answer()
    assert call.status == 415
    assert kind in call.text
    assert "`Content-Type: application/json`" in call.text


async def test_a_body_without_a_type_is_taken_for_json_by_the_originals_routes(
    app: VllmApp,
) -> None:
    """The original's callers with `gradio_client` 0 name no type."""
    for path in ("/v1/emotion", "/v1/chat/completions"):
        call = await Call(app, path).answer()
        assert call.status == 415
        assert "without a Content-Type" in call.text
    for path in ("/api/predict/", "/process_video"):
        assert (await Call(app, path).answer()).status == 400  # its fields are missing


@pytest.mark.parametrize("encoding", ["gzip", "br", "GZIP, deflate"])
async def test_a_compressed_body_is_refused_by_name_and_unread(encoding: str) -> None:
    body = gzip.compress(b"{}")
    call = await Call(House(), headers={"Content-Encoding": encoding}, body=body).answer()
    assert (call.status, call.reads) == (415, 0)
    assert call.answered["accept-encoding"] == "identity"
    assert encoding.lower().partition(",")[0] in json.loads(call.text)["error"]["message"]


async def test_an_encoding_that_is_none_passes() -> None:
    house = House()
    house.go_on.set()
    assert (await Call(house, headers={"Content-Encoding": "identity"}).answer()).status == 200
