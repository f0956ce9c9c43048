"""Streams: events in pieces of any size, errors midway, breaks."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator

import httpx2
import pytest

from emotion_llama import errors
from emotion_llama.schema import EmotionEvent, EmotionResponse, ExplanationDelta, TimelineWindow
from tests.unit.client.conftest import ANSWER, Face, refusal

Connect = Callable[..., Face]

NUMBERS = {"emotion": "happy", "confidence": 0.9, "probabilities": {"happy": 0.9, "sad": 0.1}}
EVENTS = [
    ("emotion", NUMBERS | {"answer": "happy", "answer_matches": True}),
    ("explanation.delta", {"delta": "嘴角上扬\u2028\n\nso"}),
    ("timeline.window", NUMBERS | {"start": 0.0, "end": 1.0}),
    ("something.new", {"x": 1}),
    ("done", ANSWER),
]


class Pieces(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    """A body that comes in pieces of a few bytes."""

    def __init__(self, data: bytes, size: int) -> None:
        self._pieces = [data[i : i + size] for i in range(0, len(data), size)]

    def __iter__(self) -> Iterator[bytes]:
        yield from self._pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            await asyncio.sleep(0)
            yield piece


def written(events: list[tuple[str, dict]], end: str) -> bytes:
    lines = []
    for name, data in events:
        named = f"event: {name}{end}" if name else ""
        text = json.dumps(data, ensure_ascii=False)
        lines.append(f": a comment{end}{named}data: {text}{end}{end}")
    return "".join(lines).encode()


def serve(data: bytes, size: int) -> Callable[[httpx2.Request], httpx2.Response]:
    def answer(request: httpx2.Request) -> httpx2.Response:
        assert json.loads(request.content)["stream"] is True
        headers = {"Content-Type": "text/event-stream", "X-Request-Id": "r1"}
        return httpx2.Response(200, headers=headers, stream=Pieces(data, size))

    return answer


@pytest.mark.parametrize("size", [1, 2, 7, 100_000])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("start", ["", "\ufeff", "event: emotion\n\n"])
@pytest.mark.costly
def test_events_in_pieces(connect: Connect, size: int, end: str, start: str) -> None:
    """Also behind a byte order mark, and behind a name that no data belongs to."""
    data = start.encode() + written([("", {"x": 1}), *EVENTS], end)
    events = connect(serve(data, size)).each("stream", "x")
    kinds = [EmotionEvent, ExplanationDelta, TimelineWindow, EmotionResponse]
    assert [type(event) for event in events] == kinds
    assert events[1].delta == "嘴角上扬\u2028\n\nso"
    assert events[-1].explanation == ANSWER["explanation"]


@pytest.mark.parametrize(
    ("code", "kind", "status"),
    [
        (500, errors.ServerError, 500),  # as older servers tell it
        ("internal_error", errors.ServerError, 500),
        ("server_unavailable", errors.OverloadedError, 503),
        ("processing_timeout", errors.GatewayTimeoutError, 504),
        ("of_a_later_version", errors.EmotionLLaMAError, None),
    ],
)
def test_an_error_midway_is_raised(
    connect: Connect, code: int | str, kind: type[Exception], status: int | None
) -> None:
    error = {"error": {"message": "the engine died", "type": "x", "param": None, "code": code}}
    data = written([EVENTS[0], ("error", error)], "\n")
    with pytest.raises(errors.EmotionLLaMAError, match="the engine died") as raised:
        connect(serve(data, 9)).each("stream", "x")
    assert type(raised.value) is kind
    assert (raised.value.request_id, raised.value.status) == ("r1", status)


@pytest.mark.parametrize("data", [b"", written(EVENTS[:2], "\n"), written(EVENTS, "\n")[:-30]])
def test_a_stream_that_breaks_off_is_no_answer(connect: Connect, data: bytes) -> None:
    with pytest.raises(errors.InvalidAnswer):
        connect(serve(data, 50)).each("stream", "x")


def test_an_answer_that_is_no_stream(connect: Connect) -> None:
    with pytest.raises(errors.InvalidAnswer, match="application/json"):
        connect(lambda _: httpx2.Response(200, json=ANSWER)).each("stream", "x")


def test_an_event_that_cannot_be_read(connect: Connect) -> None:
    with pytest.raises(errors.InvalidAnswer):
        connect(serve(b"event: emotion\ndata: {}\n\n", 50)).each("stream", "x")


def test_a_refusal_has_its_status(connect: Connect) -> None:
    with pytest.raises(errors.BadRequestError, match="no frame there"):
        connect(lambda _: refusal(400, "no frame there")).each("stream", "x")
