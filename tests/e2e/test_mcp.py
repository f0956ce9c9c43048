"""The tools of agents with the demo: the SDK's own client over HTTP and over stdio."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from mcp import Client, StdioServerParameters

from devtools.paths import CHECKOUT
from devtools.server import Server
from emotion_llama.schema import EmotionResponse
from tests.e2e.conftest import MODEL
from tests.support.documents import blocks_of

WAYS = ("http", "stdio")


@asynccontextmanager
async def agent(server: Server, way: str, *roots: Path) -> AsyncIterator[Client]:
    """An agent that is configured as docs/en/mcp.md shows it."""
    allowed = [word for root in roots for word in ("--media-root", str(root))]
    command = StdioServerParameters(
        command=str(Path(sys.executable).with_name("emotion-llama")),
        args=["mcp", "--server", server.url, *allowed],
        env={"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    async with Client(f"{server.url}/mcp" if way == "http" else command) as client:
        yield client


def said(result: Any) -> str:
    (block,) = result.content
    return block.text


@pytest.mark.parametrize("way", WAYS)
async def test_an_agent_gets_the_answer_of_the_emotion_route(server: Server, way: str) -> None:
    asked: dict[str, Any] = {"video": "clip0.mp4", "task": "reason"}
    asked["timeline"] = {"window": 0.5, "step": 0.5}
    url = f"{server.url}/v1/emotion"
    route = await asyncio.to_thread(requests.post, url, json=asked, timeout=60)
    async with agent(server, way) as client:
        result = await client.call_tool("analyze_video", asked)
    found = EmotionResponse.model_validate(result.structured_content)
    expected = EmotionResponse.model_validate_json(route.content)
    assert (found.emotion, found.explanation) == (expected.emotion, expected.explanation)
    assert found.probabilities == pytest.approx(expected.probabilities, abs=1e-3)
    assert len(found.timeline or ()) == len(expected.timeline or ())
    assert found.notice
    assert said(result).endswith(f"Notice: {found.notice}")


@pytest.mark.parametrize("way", WAYS)
async def test_an_agent_asks_a_question_and_lists_the_labels(server: Server, way: str) -> None:
    async with agent(server, way) as client:
        question = {"video": "clip0.mp4", "question": "[reason] Why?"}
        answer = await client.call_tool("ask_about_video", question)
        labels = await client.call_tool("list_labels")
    assert answer.structured_content["answer"] in said(answer)
    assert answer.structured_content["evidence"]["has_audio"]
    assert labels.structured_content["model"] == MODEL
    assert "happy" in labels.structured_content["labels"]


@pytest.mark.parametrize("way", WAYS)
async def test_an_agent_reaches_no_file_that_nobody_allowed(
    server: Server, media_root: Path, way: str
) -> None:
    outside = ("link.mp4", "../outside.mp4", "/etc/passwd", f"{media_root}/../outside.mp4")
    async with agent(server, way, media_root) as client:
        for name in outside:
            result = await client.call_tool("analyze_video", {"video": name})
            assert result.is_error
            told = said(result)
            assert "the folders that this server reads" in told or "neither here nor in" in told


async def test_a_clip_of_the_agents_machine_is_uploaded(
    server: Server, media_root: Path, tmp_path: Path
) -> None:
    (tmp_path / "mine.mp4").write_bytes((media_root / "clip0.mp4").read_bytes())
    async with agent(server, "stdio", tmp_path) as client:
        result = await client.call_tool("analyze_video", {"video": "mine.mp4", "task": "emotion"})
    assert not result.is_error


@pytest.mark.parametrize("page", ["docs/en/mcp.md", "docs/zh/mcp.md"])
async def test_the_answer_is_the_one_that_the_page_shows(server: Server, page: str) -> None:
    shown = next(block for block in blocks_of(CHECKOUT / page) if block.language == "text")
    asked = {"video": "happy_face.mp4", "task": "reason"}
    if shown.is_chinese:
        asked["language"] = "zh"
    async with agent(server, "http") as client:
        result = await client.call_tool("analyze_video", asked)
    assert said(result) == shown.code.rstrip("\n")
