"""The tools of an agent that asks a server over this machine's stdin and stdout, by the client."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client

from emotion_llama import AsyncEmotionLLaMA
from emotion_llama.agents.remote import Remote
from emotion_llama.agents.server import make_server
from tests.unit.client.command_server import invoke
from tests.unit.client.conftest import ANSWER, refusal

WARNING = {"code": "no_sound", "message": "The clip has no sound."}
MODEL = {"id": "demo", "created": 0, "owned_by": "vllm", "max_model_len": 9}
MODELS = {"data": [MODEL | {"description": "A guess.", "labels": ["happy", "sad"]}]}


class Asked:
    """Answers the client's requests, and keeps what they contain."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.is_elsewhere = False
        self.answer = httpx2.Response(200, json=ANSWER | {"notice": "N", "warnings": [WARNING]})

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/v1/models":
            return httpx2.Response(200, json=MODELS)
        self.bodies.append(request.read())
        is_upload = request.headers["content-type"].startswith("multipart/")
        if self.is_elsewhere and not is_upload:  # the client then uploads, if it has the file
            return refusal(400, "outside", code="video_not_readable")
        return self.answer


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder that the user allows, between files that nobody named."""
    root = tmp_path / "root"
    (root / ".hidden").mkdir(parents=True)
    for name in ("clip.mp4", "ä b?.mp4", ".env", ".hidden/clip.mp4", "../secret.mp4"):
        (root / name).write_bytes(b"the bytes of a file")
    (root / "link.mp4").symlink_to(tmp_path / "secret.mp4")
    (root / "inner.mp4").symlink_to(root / "clip.mp4")
    return root


def remote(handler: Callable[[httpx2.Request], httpx2.Response], *roots: Path) -> Remote:
    client = AsyncEmotionLLaMA(transport=httpx2.MockTransport(handler), max_retries=0)
    return Remote(client, roots)


async def call(asked: Asked, name: str, *roots: Path, **arguments: Any) -> Any:
    async with Client(make_server(remote(asked, *roots))) as agent:
        return await agent.call_tool(name, arguments)


async def test_an_analysis_keeps_its_numbers_its_warnings_and_its_notice(asked: Asked) -> None:
    window = {"window": 1, "step": 1}
    result = await call(asked, "analyze_video", video="a.mp4", task="emotion", timeline=window)
    sent = json.loads(asked.bodies[0])
    assert sent == {"video": "file:a.mp4", "task": "emotion", "timeline": window}
    assert result.structured_content["probabilities"] == {"happy": 0.9, "sad": 0.1}
    assert result.content[0].text.splitlines() == [
        "Emotion: happy (90.0%)",
        "All labels: happy 90.0%, sad 10.0%",
        "The model's own answer: happy",
        "Explanation: The corners of the mouth are up.",
        "Warning: The clip has no sound.",
        "Notice: N",
    ]


async def test_a_question_is_answered_in_words(asked: Asked) -> None:
    result = await call(asked, "ask_about_video", video="a.mp4", question="Why?")
    sent = json.loads(asked.bodies[0])
    assert (sent["task"], sent["question"]) == ("reason", "Why?")
    assert result.structured_content["answer"] == ANSWER["explanation"]
    assert result.structured_content["warnings"] == [WARNING]


async def test_the_labels_are_those_of_the_served_model(asked: Asked) -> None:
    result = await call(asked, "list_labels")
    assert result.structured_content["labels"] == ["happy", "sad"]
    assert result.content[0].text == "Labels of demo: happy, sad\nA guess."


async def test_an_error_of_the_server_is_told_in_its_sentence(asked: Asked) -> None:
    asked.answer = refusal(413, "The clip is too large.")
    result = await call(asked, "analyze_video", video="a.mp4")
    assert result.is_error
    assert result.content[0].text == "The clip is too large."


async def test_a_wrong_argument_is_told_in_the_sentence_of_the_server(asked: Asked) -> None:
    result = await call(asked, "analyze_video", video="a.mp4", lables=["a"])
    told = "`lables` is no field of this request; did you mean `labels`?"
    assert (result.is_error, result.content[0].text) == (True, told)


async def test_an_unexpected_error_tells_where_it_is_written(
    asked: Asked, caplog: pytest.LogCaptureFixture
) -> None:
    asked.answer = None  # type: ignore[assignment]
    result = await call(asked, "analyze_video", video="a.mp4")
    assert "the error output of `emotion-llama mcp` says why" in result.content[0].text
    assert caplog.records[0].exc_info is not None


@pytest.mark.parametrize("name", ["clip.mp4", "{root}/clip.mp4", "file://{root}/clip.mp4"])
async def test_a_clip_in_an_allowed_folder_is_uploaded(asked: Asked, root: Path, name: str) -> None:
    asked.is_elsewhere = True
    result = await call(asked, "analyze_video", root, video=name.format(root=root))
    assert not result.is_error
    assert b"the bytes of a file" in asked.bodies[-1]


@pytest.mark.parametrize(
    "name",
    [
        *("{root}/../secret.mp4", "../secret.mp4", "link.mp4", "file://{root}/../secret.mp4"),
        *("file://localhost{root}/../secret.mp4", "{root}/.env", ".env", ".hidden/clip.mp4"),
        *("{root}/none.mp4", "\0", "~nobody/clip.mp4", "FILE:{root}/.env"),
    ],
)
async def test_no_other_file_of_this_machine_is_sent(
    asked: Asked, root: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(root)
    asked.is_elsewhere = True
    await call(asked, "analyze_video", root, video=name.format(root=root))
    assert not any(b"the bytes of a file" in body for body in asked.bodies)


async def test_without_an_allowed_folder_names_are_the_servers(
    asked: Asked, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    for name, sent in (
        ("clip.mp4", "file:clip.mp4"),
        ("ä b?.mp4", "file:%C3%A4%20b%3F.mp4"),
        (f"{root}/clip.mp4", f"file://localhost{root}/clip.mp4"),
        (f"file://{root}/clip.mp4", f"file://localhost{root}/clip.mp4"),
        ("https://host/clip.mp4", "https://host/clip.mp4"),
        ("data:video/mp4;base64,AAAA", "data:video/mp4;base64,AAAA"),
        ("AAAA" * 2000, "AAAA" * 2000),
        ("", ""),
    ):
        assert remote(asked).clip(name) == sent
    assert remote(asked, root).clip("inner.mp4") == root / "clip.mp4"


@pytest.mark.costly
def test_without_the_sdk_the_command_says_what_to_install() -> None:
    code = "import sys; sys.modules['mcp'] = None\nfrom emotion_llama.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "mcp"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 2
    assert done.stderr.endswith("-m pip install 'mcp>=2.3,<3'` adds it.\n")
    assert done.stderr.count("\n") == 1


@pytest.mark.costly
def test_the_command_does_not_slow_the_others() -> None:
    code = "import emotion_llama.cli, sys; print('mcp' in sys.modules)"
    path = os.pathsep.join(sys.path)
    command = [sys.executable, "-c", code]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": path}, check=True
    )
    assert done.stdout == "False\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--media-root", "/nowhere"), "--media-root: there is no folder /nowhere."),
        (("--server", "ftp://x"), "--server: 'ftp://x' is no server's address"),
    ],
)
def test_what_cannot_be_used_is_told_at_once(words: tuple[str, ...], told: str) -> None:
    done = invoke("mcp", *words)
    assert done.exit_code == 2
    assert told in done.stderr
