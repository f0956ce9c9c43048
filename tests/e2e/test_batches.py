"""Files and batches on a real engine, as OpenAI's SDK uses them."""

import json
import time
from typing import Any

import openai
import pytest
import requests
from openai.types.chat import ChatCompletion

from devtools.server import Server
from emotion_llama_vllm import demo_files
from tests.e2e.conftest import MODEL


@pytest.fixture(scope="module")
def clip(client: openai.OpenAI) -> str:
    """The id of an uploaded clip."""
    with (demo_files.clips() / "happy_face.mp4").open("rb") as file:
        expiry: Any = {"anchor": "created_at", "seconds": 3600}
        sent = client.files.create(file=file, purpose="user_data", expires_after=expiry)
    assert sent.expires_at == sent.created_at + 3600
    assert sent.id in [known.id for known in client.files.list(purpose="user_data")]
    return sent.id


def chat(clip: str) -> dict[str, Any]:
    content = [
        {"type": "file", "file": {"file_id": clip}},
        {"type": "text", "text": "[emotion] Which emotion is this?"},
    ]
    messages = [{"role": "user", "content": content}]
    return {"model": MODEL, "messages": messages, "max_tokens": 8, "temperature": 0}


def run(client: openai.OpenAI, endpoint: Any, *bodies: dict[str, Any]) -> list[dict[str, Any]]:
    """Have bodies answered as a batch; return their results in the order of the bodies."""
    asked = [
        {"custom_id": str(number), "method": "POST", "url": endpoint, "body": body}
        for number, body in enumerate(bodies)
    ]
    data = "\n".join(map(json.dumps, asked)).encode()
    sent = client.files.create(file=("lines.jsonl", data), purpose="batch")
    batch = client.batches.create(
        input_file_id=sent.id, endpoint=endpoint, completion_window="24h", metadata={"run": "1"}
    )
    deadline = time.monotonic() + 120
    while (batch := client.batches.retrieve(batch.id)).status != "completed":
        assert time.monotonic() < deadline, batch
        time.sleep(0.1)
    files = [name for name in (batch.output_file_id, batch.error_file_id) if name]
    told = [text for name in files for text in client.files.content(name).text.splitlines()]
    found = sorted(map(json.loads, told), key=lambda result: int(result["custom_id"]))
    assert [result["custom_id"] for result in found] == [str(n) for n in range(len(bodies))]
    assert batch.id in [known.id for known in client.batches.list(limit=1)]
    return found


def test_a_batch_of_chats_says_what_chats_say(client: openai.OpenAI, clip: str) -> None:
    body = chat(clip)
    expected = client.chat.completions.create(**body).choices[0].message.content
    assert "happy" in (expected or "").lower()
    good, bad = run(client, "/v1/chat/completions", body, body | {"messages": []})
    response = ChatCompletion.model_validate(good["response"]["body"])
    assert response.choices[0].message.content == expected
    assert bad["response"]["status_code"] == 400
    assert bad["response"]["body"]["error"]["param"] == "messages"


def test_a_batch_of_analyses_says_what_analyses_say(
    client: openai.OpenAI, server: Server, clip: str
) -> None:
    body = {"video": clip, "task": "emotion", "max_tokens": 4}
    expected = requests.post(f"{server.url}/v1/emotion", json=body, timeout=60).json()
    good, missing = run(client, "/v1/emotion", body, body | {"video": "file-" + "0" * 32})
    assert good["response"]["body"]["emotion"] == expected["emotion"] == "happy"
    assert missing["response"]["status_code"] == 404
    assert missing["response"]["body"]["error"]["code"] == "video_not_found"


def test_an_uploaded_clip_is_one_in_the_originals_routes(server: Server, clip: str) -> None:
    body = {"video_path": clip, "question": "[emotion] Which emotion is this?"}
    answer = requests.post(f"{server.url}/process_video", json=body, timeout=60)
    assert answer.json()["response"]


def test_a_file_that_is_deleted_is_no_clip_any_more(client: openai.OpenAI) -> None:
    data = (demo_files.clips() / "sad_face.mp4").read_bytes()
    sent = client.files.create(file=("sad.mp4", data), purpose="vision")
    assert client.files.content(sent.id).read() == data
    assert client.files.delete(sent.id).deleted
    with pytest.raises(openai.NotFoundError):
        client.files.retrieve(sent.id)
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(**chat(sent.id))
    assert refused.value.code == "video_not_found"
