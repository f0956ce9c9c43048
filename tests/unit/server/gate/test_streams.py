"""Streams of events behind proxies: their headers, and comments while they are silent."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Message

from emotion_llama_server.gate import streams
from emotion_llama_server.gate.streams import Streams
from tests.support.apps.gate import Call, House, until

_SECONDS = 0.05
COMMENT = ": keep-alive\n\n"
CHAT = "/v1/chat/completions"


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streams, "_SECONDS", _SECONDS)


class Talk:
    """Streams two events, and waits between them for `go_on`."""

    def __init__(self, *paths: str) -> None:
        self.go_on = asyncio.Event()
        self.app = Streams(
            Starlette(routes=[Route(path, self.talk, methods=["POST"]) for path in paths])
        )

    async def talk(self, request: Request) -> Response:
        async def events() -> AsyncIterator[str]:
            yield "data: 1\n\n"
            await self.go_on.wait()
            yield "data: 2\n\n"

        await request.body()
        return StreamingResponse(events(), media_type="text/event-stream")


async def heard(path: str, is_enough: Callable[[Call], bool]) -> str:
    """Return all of a stream that goes on when it is enough."""
    talk = Talk(path)
    call = Call(talk, path).start()
    await until(lambda: is_enough(call))
    talk.go_on.set()
    await call.task
    await asyncio.sleep(3 * _SECONDS)
    return call.text


@pytest.mark.costly
async def test_a_silent_stream_has_comments_between_its_events() -> None:
    for path in (CHAT, "/v1/emotion"):
        text = await heard(path, lambda call: call.text.count(COMMENT) == 2)
        assert text == f"data: 1\n\n{COMMENT}{COMMENT}data: 2\n\n"


async def test_a_stream_that_talks_has_none() -> None:
    assert await heard(CHAT, lambda call: "data: 1" in call.text) == "data: 1\n\ndata: 2\n\n"


async def test_other_routes_have_none_as_their_clients_may_fail_on_them() -> None:
    talk = Talk("/queue/data")
    call = Call(talk, "/queue/data").start()
    await asyncio.sleep(3 * _SECONDS)
    talk.go_on.set()
    await call.task
    assert call.text == "data: 1\n\ndata: 2\n\n"


async def test_comments_end_with_a_client_that_leaves() -> None:
    call = Call(Talk(CHAT), CHAT).start()
    await until(lambda: COMMENT in call.text)
    call.leaves.set()
    await call.task
    sent = call.text
    await asyncio.sleep(3 * _SECONDS)
    assert call.text == sent


async def test_every_stream_behind_the_gate_tells_proxies_not_to_hold_it_back() -> None:
    house = House()
    house.go_on.set()
    stream, answer = await Call(house, "/stream").answer(), await Call(house).answer()
    assert stream.answered["cache-control"] == "no-cache"
    assert stream.answered["x-accel-buffering"] == "no"
    assert "x-accel-buffering" not in answer.answered


async def test_an_answer_that_is_no_stream_has_no_comments() -> None:
    async def answer(request: Request) -> Response:
        await asyncio.sleep(3 * _SECONDS)
        return PlainTextResponse("done")

    talk = Talk()
    talk.app = Streams(Starlette(routes=[Route(CHAT, answer, methods=["POST"])]))
    assert (await Call(talk, CHAT).answer()).text == "done"


async def test_the_error_of_a_comment_is_the_error_of_its_stream() -> None:
    talk, call = Talk(CHAT), Call(House(), CHAT)
    send = call._send

    async def fail_at_comments(message: Message) -> None:
        if message.get("body") == COMMENT.encode():
            talk.go_on.set()
            raise ValueError("a bug below")
        await send(message)

    call._send, call.house = fail_at_comments, talk
    with pytest.raises(ValueError, match="a bug below"):
        await call.answer()
