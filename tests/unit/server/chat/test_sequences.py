"""Sequences of the engine that requests of vLLM's own routes hold, without an engine."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi import Depends, Request
from starlette.responses import Response, StreamingResponse
from vllm.entrypoints.serve.utils.api_utils import validate_json_request

from emotion_llama_server.chat import sequences
from emotion_llama_server.emotion.engine_shares import EngineShares
from emotion_llama_server.engine import until_disconnect
from emotion_llama_server.services import install
from tests.support.apps.gate import Call, House, until

MOST = 16
EACH = 14


@pytest.fixture(autouse=True)
def _many_choices_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_MAX_N_SEQUENCES", str(2**31))


class Chats(House):
    """A house with a route that checks its body as vLLM's do, and computes until it is told."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(keys="alice:a,bob:b", **settings)
        self.shares = EngineShares(MOST)
        install(self.app, replace(self.services, shares=self.shares))
        checked = [Depends(validate_json_request)]
        self.app.add_api_route("/chat", self.work, methods=["POST"], dependencies=checked)
        self.app.add_api_route("/streamed", self.stream, methods=["POST"], dependencies=checked)
        sequences.install(self.app)

    def ask(self, key: str, path: str = "/chat", **body: Any) -> Call:
        headers = {"X-API-Key": key, "Content-Type": "application/json"}
        return Call(self, path, headers=headers, body=json.dumps(body).encode())

    @property
    def held(self) -> dict[str, int]:
        return {key: self.shares.sequences.held(f"key:{key}") for key in ("alice", "bob")}


@pytest.mark.parametrize("path", ["/chat", "/streamed"])
async def test_one_keys_chats_leave_room_for_anothers(path: str) -> None:
    house = Chats()
    many = [house.ask("a", path).start() for _ in range(30)]
    await until(lambda: house.working == EACH)
    other = house.ask("b", path).start()
    await until(lambda: house.working == EACH + 1)
    assert house.held == {"alice": EACH, "bob": 1}
    house.go_on.set()
    await asyncio.gather(*(call.task for call in [*many, other]))
    assert {call.status for call in [*many, other]} == {200}
    assert house.held == {"alice": 0, "bob": 0}


async def test_each_choice_counts() -> None:
    house = Chats()
    four, seven, late = (house.ask("a", n=n).start() for n in (4, 7, 4))
    await until(lambda: house.working == 2)
    assert house.held["alice"] == 11
    house.go_on.set()
    await asyncio.gather(four.task, seven.task, late.task)
    assert late.status == 200
    assert house.held["alice"] == 0


@pytest.mark.parametrize("n", [1000, 2**31])
async def test_more_choices_than_the_share_are_the_share(n: int) -> None:
    house = Chats()
    call = house.ask("a", n=n).start()
    await until(lambda: house.working == 1)
    assert house.held["alice"] == EACH
    house.go_on.set()
    await call.task
    assert house.held["alice"] == 0


@pytest.mark.parametrize("n", [None, 0, -5, "many", 2.5, [], True])
async def test_a_wrong_number_of_choices_is_left_to_vllm(n: object) -> None:
    house = Chats()
    call = house.ask("a", n=n).start()
    await until(lambda: house.working == 1)
    assert house.held["alice"] == 1
    house.go_on.set()
    await call.task


async def test_one_that_leaves_while_it_waits_gives_everything_back() -> None:
    house = Chats()
    inside, waiting = house.ask("a", n=EACH).start(), house.ask("a", n=3).start()
    await until(lambda: house.door.working == 2 and waiting.reads >= 2)
    waiting.leaves.set()
    await asyncio.wait_for(waiting.task, 5)
    assert house.held["alice"] == EACH
    inside.leaves.set()
    await inside.task
    assert house.held["alice"] == 0
    assert house.door.inside == 0


async def test_a_deadline_while_it_waits_gives_everything_back() -> None:
    house = Chats(request_timeout=0.3)
    calls = [house.ask("a", n=EACH).start() for _ in range(3)]
    await asyncio.gather(*(call.task for call in calls))
    assert {call.status for call in calls} == {504}
    assert house.held["alice"] == 0


async def test_what_is_refused_holds_nothing() -> None:
    house = Chats()
    call = await house.ask("a", priority=-1).answer()
    assert call.status != 200
    assert house.held["alice"] == 0


async def test_a_failure_in_the_route_gives_its_places_back() -> None:
    house = Chats()

    async def fail(raw_request: Request) -> Response:
        assert house.held["alice"] == 1
        raise RuntimeError("on purpose")

    async def fail_midway() -> AsyncIterator[bytes]:
        yield b"data: 1"
        raise RuntimeError("on purpose")

    async def fail_later(raw_request: Request) -> Response:
        return StreamingResponse(fail_midway())

    checked = [Depends(validate_json_request)]
    for path, route in (("/fails", fail), ("/fails_later", until_disconnect(fail_later))):
        house.app.add_api_route(path, route, methods=["POST"], dependencies=checked)
        await house.ask("a", path).answer()
        assert house.held["alice"] == 0
