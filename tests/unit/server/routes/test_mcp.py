"""What agents ask at `/mcp` and get, without an engine, behind the gate."""

import asyncio
import base64
import json
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

from devtools.media import Recipe, make_clip, write_clip
from emotion_llama.agents import http
from emotion_llama.schema import EmotionResponse, Model, ModelList
from emotion_llama_server.gate import Gate
from emotion_llama_server.routes import emotion, mcp, models
from emotion_llama_server.services import install, services_of
from emotion_llama_server.settings import ServerSettings
from emotion_llama_vllm.checkpoint.card import Card
from emotion_llama_vllm.shares import asking
from tests.support.apps.emotion_app import FakeEngine, analyst
from tests.support.apps.gate import Call, until
from tests.support.apps.light_server import HOST, light_server
from tests.support.apps.services import services

ERAS = ("2026-07-28", "legacy")
"""How the SDK's client speaks: without a handshake, and with one, as before 2026."""
ASK = {"content-type": "application/json", "accept": "application/json, text/event-stream"}


class House:
    """Serves `/mcp` and `/v1/emotion`."""

    def __init__(self, root: Path, **options: Any) -> None:
        self.engine, self.app = FakeEngine(), FastAPI()
        for router in (mcp.router, emotion.router, models.router):
            self.app.include_router(router)
        settings = ServerSettings(max_answer_tokens=50)
        made = analyst(self.engine, root, megabytes=0)
        parts = {"analyst": made, "card": Card(), "models": self}
        install(self.app, services(settings, **parts, **options))
        self.app.add_middleware(Gate)

    async def show_available_models(self) -> ModelList:
        """Return one model, as vLLM's list of models does."""
        known = Model(id="demo", created=0, owned_by="vllm", max_model_len=9, description="")
        return ModelList(data=[known])

    @contextmanager
    def served(self) -> Iterator[str]:
        with light_server(self.app) as port:
            yield f"http://{HOST}:{port}/mcp"


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.fixture
def address(house: House) -> Iterator[str]:
    with house.served() as url:
        yield url


@asynccontextmanager
async def agent(url: str, era: str = ERAS[0], **headers: str) -> AsyncIterator[Client]:
    async with httpx2.AsyncClient(headers=headers) as http:
        transport = streamable_http_client(url, http_client=http)
        async with Client(transport, mode=era, cache=None) as client:
            yield client


def said(result: Any) -> str:
    (block,) = result.content
    return block.text


def message(method: str, **params: Any) -> bytes:
    asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return json.dumps(asked).encode()


def call(name: str, **arguments: Any) -> bytes:
    return message("tools/call", name=name, arguments=arguments)


def sent(house: House, body: bytes, era: str = "legacy", **headers: str) -> Call:
    """A message as an agent of an era sends it; since 2026, headers repeat parts of it."""
    more: dict[str, str] = {"content-length": str(len(body))}
    if era != "legacy":
        more["mcp-protocol-version"] = era
        with suppress(ValueError, TypeError, KeyError, RecursionError):
            asked = json.loads(body)
            about = "io.modelcontextprotocol"
            versions = {f"{about}/protocolVersion": era, f"{about}/clientCapabilities": {}}
            asked["params"]["_meta"] = versions
            body = json.dumps(asked).encode()
            more |= {"mcp-method": asked["method"], "mcp-name": str(asked["params"].get("name"))}
    return Call(house, "/mcp", headers=ASK | more | headers, body=body)


INITIALIZE = message(
    "initialize",
    protocolVersion="2025-11-25",
    capabilities={},
    clientInfo={"name": "test", "version": "1"},
)


@pytest.mark.parametrize("era", ERAS)
async def test_the_tools_are_listed_with_what_they_take_and_give(address: str, era: str) -> None:
    async with agent(address, era) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert list(tools) == ["analyze_video", "ask_about_video", "list_labels"]
    for tool in tools.values():
        assert tool.description
        assert tool.output_schema is not None
        fields = tool.input_schema.get("properties", {})
        assert all(field.get("description") for field in fields.values())
    assert tools["ask_about_video"].input_schema["required"] == ["video", "question"]


@pytest.mark.parametrize("era", ERAS)
async def test_an_analysis_is_that_of_the_emotion_route_with_words_for_people(
    address: str, tmp_path: Path, era: str
) -> None:
    write_clip(tmp_path / "silent.mp4", Recipe(audio=None, seconds=2))
    asked = {"video": "silent.mp4", "timeline": {"window": 1, "step": 1}}
    async with agent(address, era) as client, httpx2.AsyncClient() as client_of_route:
        result = await client.call_tool("analyze_video", asked)
        route = await client_of_route.post(address.replace("/mcp", "/v1/emotion"), json=asked)
    found = EmotionResponse.model_validate(result.structured_content)
    expected = EmotionResponse.model_validate_json(route.content)
    assert found == expected.model_copy(update={"id": found.id, "timing": found.timing})
    text = said(result)
    assert f"Emotion: {found.emotion} (" in text
    assert "0–1 s: neutral" in text
    assert found.explanation
    assert found.explanation in text
    assert f"Warning: {found.warnings[0].message}" in text
    assert text.endswith(f"Notice: {found.notice}")


@pytest.mark.parametrize("era", ERAS)
async def test_a_question_is_answered_in_words(house: House, address: str, era: str) -> None:
    async with agent(address, era) as client:
        asked = {"video": "clip.mp4", "question": "Why?"}
        result = await client.call_tool("ask_about_video", asked)
    assert result.structured_content["answer"] == "Because of the mouth."
    assert result.structured_content["notice"] in said(result)
    assert house.engine.max_tokens == 50  # the operator's limit


async def test_the_labels_are_the_checkpoints_there_and_at_the_route_of_models(
    address: str,
) -> None:
    async with agent(address) as client, httpx2.AsyncClient() as client_of_route:
        result = await client.call_tool("list_labels")
        route = await client_of_route.get(address.replace("/mcp", "/v1/models"))
    assert result.structured_content["labels"] == Card().labels
    assert route.json()["data"][0]["labels"] == Card().labels
    assert "worried" in said(result)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"video": "/etc/passwd"}, "The path is outside the folders that this server reads"),
        ({"video": "../secret.mp4"}, "The path is outside the folders"),
        ({"video": "missing.mp4"}, "There is no such file in the folders"),
        ({"video": ".env"}, "The file is no video that can be read"),
        ({"video": "http://169.254.169.254/x.mp4"}, "--allowed-media-domains"),
        ({"video": "data:video/mp4;base64,AAAA"}, "The file is no video that can be read"),
        ({"video": "clip.mp4", "lables": ["a", "b"]}, "did you mean `labels`?"),
        ({"video": "clip.mp4", "labels": ["a"]}, "labels: List should have at least 2 items"),
        ({"video": "clip.mp4", "labels": ["a", "a"]}, "each label may be given once"),
        ({}, "`video` is missing."),
    ],
)
async def test_an_error_is_a_tools_error_in_the_sentence_of_the_route(
    house: House, tmp_path: Path, arguments: dict[str, Any], sentence: str
) -> None:
    (tmp_path / ".env").write_text("KEY=secret")
    asked = await sent(house, call("analyze_video", **arguments)).answer()
    result = json.loads(asked.text)["result"]
    assert (asked.status, result["isError"]) == (200, True)
    assert sentence in result["content"][0]["text"]
    assert "secret" not in asked.text
    body = json.dumps(arguments or {"labels": 1}).encode()
    if arguments:
        route = await Call(house, "/v1/emotion", headers=ASK, body=body).answer()
        assert json.loads(route.text)["error"]["message"] == result["content"][0]["text"]


async def test_an_unexpected_error_tells_nothing_of_the_server(house: House) -> None:
    house.engine.fails = True
    asked = await sent(house, call("analyze_video", video="clip.mp4")).answer()
    assert "its log says why" in asked.text
    assert "fire" not in asked.text


async def test_a_tool_that_is_not_there_is_an_error_of_the_protocol(address: str) -> None:
    async with agent(address) as client:
        with pytest.raises(
            MCPError, match="There is no tool 'analyse'; the tools are analyze_video"
        ):
            await client.call_tool("analyse")


@pytest.mark.costly
async def test_only_a_key_opens_the_tools(tmp_path: Path) -> None:
    house = House(tmp_path, keys="alice:a")
    refused = await sent(house, message("ping")).answer()
    assert (refused.status, refused.answered["www-authenticate"]) == (401, "Bearer")
    with house.served() as url:
        async with agent(url, authorization="Bearer a") as client:
            result = await client.call_tool("analyze_video", {"video": "clip.mp4"})
    assert not result.is_error


async def test_the_work_is_that_of_the_key_and_takes_its_place_in_the_gate(tmp_path: Path) -> None:
    house = House(tmp_path, keys="alice:a")
    owners = []

    async def read_labels(prompt: Any, tree: Any) -> Any:
        owners.append((asking.get().owner, services_of(house.app).doorkeeper.working))
        return await FakeEngine.read_labels(house.engine, prompt, tree)

    house.engine.read_labels = read_labels  # type: ignore[method-assign]
    for era in ERAS:
        body = call("analyze_video", video="clip.mp4")
        assert (await sent(house, body, era, **{"x-api-key": "a"}).answer()).status == 200
    assert owners == [("key:alice", 1)] * 2


@pytest.mark.parametrize("era", ERAS)
async def test_a_client_that_leaves_ends_its_work(house: House, era: str) -> None:
    house.engine.goes_on.clear()
    asked = sent(house, call("ask_about_video", video="clip.mp4", question="Why?"), era).start()
    await until(lambda: house.engine.running == 1)
    asked.leaves.set()
    await until(lambda: house.engine.running == 0)
    await asyncio.wait([asked.task], timeout=5)
    assert services_of(house.app).doorkeeper.inside == 0


async def test_nothing_is_kept_between_two_messages(house: House) -> None:
    """So replicas behind a router can take turns."""
    first = await sent(house, INITIALIZE).answer()
    assert "mcp-session-id" not in first.answered
    there = {"mcp-session-id": "of another replica", "mcp-protocol-version": "2025-11-25"}
    asked = await sent(house, message("tools/list"), **there).answer()
    assert len(json.loads(asked.text)["result"]["tools"]) == 3
    assert asked.answered["content-type"] == "application/json"


@pytest.mark.parametrize("era", ERAS)
async def test_a_clip_in_the_message_passes_by_the_sdk(
    house: House, monkeypatch: pytest.MonkeyPatch, era: str
) -> None:
    """The SDK would parse and copy it on the event loop."""
    passed = []
    exchange = http.exchange

    async def noting(backend: Any, scope: Any, body: bytes) -> http.Reply:
        passed.append(len(body))
        return await exchange(backend, scope, body)

    monkeypatch.setattr(http, "exchange", noting)
    padded = make_clip(Recipe()) + struct.pack(">I4s", 1 << 17, b"free") + bytes((1 << 17) - 8)
    data = f"data:video/mp4;base64,{base64.b64encode(padded).decode()}"
    asked = await sent(house, call("analyze_video", video=data), era).answer()
    assert json.loads(asked.text)["result"]["structuredContent"]["emotion"] == "neutral"
    assert passed[0] < 1000


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://page.example", 200), ("http://127.0.0.1", 403), ("null", 403), ("", 403)],
)
async def test_only_pages_of_named_origins_may_ask(
    tmp_path: Path, origin: str, status: int
) -> None:
    """A name that was rebound to this address makes a page look like one of this server."""
    house = House(tmp_path, origins=("http://page.example",))
    headers = {"origin": origin, "host": origin.removeprefix("http://")}
    assert (await sent(house, message("ping"), **headers).answer()).status == status
    assert (await sent(House(tmp_path), message("ping"), **headers).answer()).status == 403


LONG = "x" * 1_000_000
HOSTILE = {
    "no JSON": b"{",
    "a list": b"[" + message("ping") + b"]",
    "a number": b"5",
    "an empty object": b"{}",
    "another version": b'{"jsonrpc": "1.0", "id": 1, "method": "ping"}',
    "a key twice": b'{"jsonrpc": "2.0", "id": 1, "id": 2, "method": "ping"}',
    "json 2000 deep": b'{"jsonrpc": "2.0", "id": 1, "params": ' + b"[" * 2000 + b"]" * 2000 + b"}",
    "a long method": message(LONG),
    "a long id": message("ping").replace(b'"id": 1', f'"id": "{LONG}"'.encode()),
    "an endless text": call("ask_about_video", video="a", question="x" * (5 << 20)),
    "an endless key": call("analyze_video", **{LONG: 1}),
    "a long name": call(LONG),
    "a long cursor": message("tools/list", cursor=LONG),
    "arguments that are a list": message("tools/call", name="analyze_video", arguments=[1]),
    "a name that is a list": message("tools/call", name=["analyze_video"]),
    "an id that is an object": message("ping").replace(b'"id": 1', b'"id": {}'),
    "a stream for ever": message("subscriptions/listen", notifications={}),
    "a notification": b'{"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {}}',
    "an answer": b'{"jsonrpc": "2.0", "id": 1, "result": {}}',
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("era", ERAS)
async def test_a_hostile_body_is_answered_shortly(house: House, name: str, era: str) -> None:
    asked = await sent(house, HOSTILE[name], era).answer()
    assert asked.status in (200, 202, 400, 404, 413, 431)
    assert len(asked.text) < (30_000 if name == "a long cursor" else 3000)
    for secret in ("Traceback", "site-packages", "emotion_llama_server"):
        assert secret not in asked.text


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("GET", {"accept": "text/event-stream"}, 405),
        ("DELETE", {}, 405),
        ("POST", {"content-type": "text/plain"}, 415),
        ("POST", {"content-type": "application/json", "accept": "text/html"}, 406),
        ("POST", {"content-type": "application/json", "content-encoding": "gzip"}, 415),
    ],
)
async def test_other_requests_are_refused(
    house: House, method: str, headers: dict[str, str], status: int
) -> None:
    asked = await Call(house, "/mcp", method, headers=headers, body=message("ping")).answer()
    assert asked.status == status
