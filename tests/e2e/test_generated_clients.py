"""Clients that generators make of the OpenAPI document, each asking the running server."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import requests

from devtools.server import Server
from tests.support.cached_venv import cached_venv

MESSAGES = """[{
    "role": "user",
    "content": [
        {"type": "video_url", "video_url": {"url": "happy_face.mp4"}},
        {"type": "text", "text": "The person in video says: .  [emotion] Which emotion is this?"},
    ],
}]"""

PYTHON_CLIENT = f"""
import sys
from made import AuthenticatedClient
from made.api.chat import create_chat_completion_v1_chat_completions_post as chat
from made.api.emotion import analyse_v1_emotion_post as analyse
from made.api.legacy import process_video_process_video_post as process
from made.api.models import retrieve_model_v1_models_model_get as retrieve
from made.models import (
    AnalyseV1EmotionPostFilesBody, ChatCompletionRequest, EmotionRequest, ProcessVideoRequest
)
from made.types import File

client = AuthenticatedClient(base_url=sys.argv[1], token="none")
asked = EmotionRequest.from_dict({{"video": "happy_face.mp4", "task": "emotion"}})
print(analyse.sync(client=client, body=asked).emotion)
with open(sys.argv[2], "rb") as clip:
    upload = AnalyseV1EmotionPostFilesBody(
        video=File(payload=clip, file_name="clip.mp4"), request=EmotionRequest()
    )
    print(analyse.sync(client=client, body=upload).emotion)
print(analyse.sync(client=client, body=EmotionRequest(video="no.mp4")).error.code)
legacy = ProcessVideoRequest(video_path="happy_face.mp4", question="[emotion] x")
print(process.sync(client=client, body=legacy).response)
print(retrieve.sync(client=client, model="emotion-llama-demo").id)
body = ChatCompletionRequest.from_dict({{
    "model": "emotion-llama-demo", "messages": {MESSAGES}, "max_tokens": 8
}})
response = chat.sync_detailed(client=client, body=body)
print(__import__("json").loads(response.content)["choices"][0]["message"]["content"])
"""

GENERATOR = f"""
import sys
import made
from made.models import ChatCompletionRequest, EmotionRequest, ProcessVideoRequest

configuration = made.Configuration(host=sys.argv[1], access_token="none")
with made.ApiClient(configuration) as client:
    emotion = made.EmotionApi(client)
    asked = EmotionRequest(video="happy_face.mp4", task="emotion")
    print(emotion.analyse_v1_emotion_post(asked).emotion)
    try:
        emotion.analyse_v1_emotion_post(EmotionRequest(video="no.mp4"))
    except made.exceptions.NotFoundException as error:
        print(error.data.error.code.actual_instance)
    legacy = ProcessVideoRequest(video_path="happy_face.mp4", question="[emotion] x")
    print(made.LegacyApi(client).process_video_process_video_post(legacy).response)
    print(made.ModelsApi(client).retrieve_model_v1_models_model_get("emotion-llama-demo").id)
    body = ChatCompletionRequest.from_dict({{
        "model": "emotion-llama-demo", "messages": {MESSAGES}, "max_tokens": 8
    }})
    answer = made.ChatApi(client).create_chat_completion_v1_chat_completions_post(body)
    print(answer["choices"][0]["message"]["content"])
"""

TYPESCRIPT = f"""
import createClient from 'openapi-fetch';
import type {{ components, paths }} from './made.js';

const client = createClient<paths>({{ baseUrl: process.argv[2] }});
const asked = await client.POST('/v1/emotion', {{
  body: {{ video: 'happy_face.mp4', task: 'emotion' }},
}});
console.log((asked.data as components['schemas']['EmotionResponse']).emotion);
const missing = await client.POST('/v1/emotion', {{ body: {{ video: 'no.mp4' }} }});
console.log(missing.error?.error.code);
const legacy = await client.POST('/process_video', {{
  body: {{ video_path: 'happy_face.mp4', question: '[emotion] x' }},
}});
console.log(legacy.data?.response);
const params = {{ path: {{ model: 'emotion-llama-demo' }} }};
console.log((await client.GET('/v1/models/{{model}}', {{ params }})).data?.id);
const chat = await client.POST('/v1/chat/completions', {{
  body: {{ model: 'emotion-llama-demo', messages: {MESSAGES}, max_tokens: 8 }},
}});
console.log((chat.data as any).choices[0].message.content);
"""

SAID = ["happy", "video_not_found", "happy", "emotion-llama-demo", "happy"]


@pytest.fixture(scope="module")
def document(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("document") / "openapi.json"
    path.write_bytes(requests.get(f"{server.url}/openapi.json", timeout=30).content)
    return path


def run(*command: str | Path, folder: Path) -> list[str]:
    """Return the lines that a program prints."""
    path = f"{Path(command[0]).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PATH": path, "PYTHONPATH": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout.splitlines()


def needed(program: str) -> str:
    if (found := shutil.which(program)) is None:
        reason = f"{program} is not installed, which a generator of clients needs."
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return found


def test_openapi_python_client(
    server: Server, document: Path, media_root: Path, tmp_path: Path
) -> None:
    programs = cached_venv("openapi-python-client==0.29.1")
    run(
        *(programs / "openapi-python-client", "generate", "--meta", "none"),
        *("--path", document, "--output-path", "made"),
        folder=tmp_path,
    )
    clip = shutil.copy(media_root / "clip0.mp4", tmp_path)
    said = run(programs / "python", "-c", PYTHON_CLIENT, server.url, clip, folder=tmp_path)
    assert [said[0], *said[2:]] == SAID


@pytest.mark.slow
def test_openapi_generator(server: Server, document: Path, tmp_path: Path) -> None:
    needed("java")
    programs = cached_venv(
        *("openapi-generator-cli==7.26.0", "pydantic>=2.11", "python-dateutil", "urllib3>=2.7")
    )
    run(
        *(programs / "openapi-generator-cli", "generate", "-g", "python"),
        *("-i", document, "-o", ".", "--package-name", "made"),
        folder=tmp_path,
    )
    assert run(programs / "python", "-c", GENERATOR, server.url, folder=tmp_path) == SAID


@pytest.mark.slow
def test_openapi_typescript(server: Server, document: Path, tmp_path: Path) -> None:
    packages = ("openapi-typescript@7.13.0", "openapi-fetch@0.17.0", "typescript@5.9.3")
    (tmp_path / "package.json").write_text(json.dumps({"type": "module", "private": True}))
    (tmp_path / "ask.ts").write_text(TYPESCRIPT)
    npx = needed("npx")
    run(needed("npm"), "install", *packages, "@types/node@20.19.43", folder=tmp_path)
    # Fields with a default may be left out of a request.
    options = ("--default-non-nullable=false", "-o", "made.d.ts")
    run(npx, "openapi-typescript", document, *options, folder=tmp_path)
    strict = ("--strict", "--module", "nodenext", "--target", "es2022", "--skipLibCheck")
    run(npx, "tsc", *strict, "ask.ts", folder=tmp_path)
    assert run(needed("node"), "ask.js", server.url, folder=tmp_path) == SAID
