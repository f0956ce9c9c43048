"""Reading a JSON body: what is refused, and that reading takes time in proportion to its bytes."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any

import pybase64
import pytest
from starlette.types import Message

from emotion_llama_server import strict_json
from emotion_llama_server.settings import TEXT_BYTES
from emotion_llama_server.strict_json import (
    BodyError,
    JsonRequest,
    check_json,
    gather,
    media_type,
    parse,
    parse_now,
)

MIB = 1 << 20


def refusal(body: bytes) -> BodyError:
    with pytest.raises(BodyError) as caught:
        parse_now(body)
    return caught.value


@pytest.mark.parametrize(
    "value",
    [
        {},
        [],
        "text",
        None,
        -1.5e3,
        10**17,
        {"a": [{"b": "\\"}, {"b": '"'}], "c": "\\\\", "d": "é\u4f60🎬"},
        {"video": "data:video/mp4;base64," + "A/" * MIB, "question": "你好"},
        {"long": "x" * 100_000, "text": "\\/"},
        {"long": '\\"' * 50_000, "text": "x" * 100_000 + "\\"},
    ],
)
def test_a_body_is_read_as_it_was_written(value: Any) -> None:
    for ascii_alone in (True, False):
        body = json.dumps(value, ensure_ascii=ascii_alone).encode()
        assert parse_now(body) == value
        assert parse_now(b"\xef\xbb\xbf" + body) == value
        assert asyncio.run(parse(body)) == value


def test_a_slash_that_php_escapes_is_a_slash() -> None:
    clip = pybase64.b64encode(bytes(range(256)) * 20_000).decode()
    body = json.dumps({"video": clip}).replace("/", "\\/").encode()
    assert parse_now(body) == {"video": clip}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not valid JSON"),
        (b'{"a": 1', "not valid JSON"),
        (b'{"a": "x', "does not end"),
        (b'{"a": "x\\"', "does not end"),
        (b"[1] 2", "not valid JSON"),
        (b'["\n"]', "not valid JSON"),
        (b'["\xff"]', "not UTF-8"),
        (b'["' + b"x" * 100_000 + b'\xff"]', "not valid JSON"),
        (b'["' + b"x" * 100_000 + b'\n"]', "not valid JSON"),
        (b'["\\ud800"]', "not valid JSON"),
        (b'["\\uDC00\\uD800"]', "not valid JSON"),
        ('{"a": 1}'.encode("utf-16"), "not valid JSON"),
        (b"NaN", "NaN"),
        (b"[-Infinity]", "Infinity"),
        (b"1e999", "too large"),
        (b"[[-1e999]]", "too large"),
        (b"9" * 1_000_000, "too large"),
        (b"[" * 1500 + b"]" * 1500, "nested too deeply"),
        (b"[" * 300 + b"]" * 300, "not valid JSON"),
        (b'{"a": 1, "\\u0061": 1}', "twice"),
        (b'[{"b": {"a": 1, "c": 1, "a": 2}}]', "twice"),
    ],
    ids=range(21),
)
def test_what_is_no_strict_json_is_refused(body: bytes, words: str) -> None:
    error = refusal(body)
    assert error.status_code == 400
    assert words in error.detail
    assert len(error.detail) < 200


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b'{"a": {"b": 1, "c": NaN}, "d": Infinity}', "a.c"),
        (b'{"a": [1, {"b": [[1e999]]}]}', "a.b"),
        (b'[{"a": 9999999999999999999}]', "a"),
        (b"[NaN]", None),
    ],
)
def test_a_number_that_is_refused_is_named_by_its_place(body: bytes, place: str | None) -> None:
    with pytest.raises(BodyError) as refused:
        parse_now(body)
    assert refused.value.param == place


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b'{"seed": 1, "x": {"seed": 2, "seed": 3}}', "seed"),
        (b'{"seed": 1234567890123456789}', "seed"),
        (b'{"messages": [[1e999]]}', "messages"),
    ],
)
def test_the_field_to_blame_is_named(body: bytes, param: str) -> None:
    assert refusal(body).param == param


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"[" + b"[]," * 10_000 + b"1]", 400),
        (b"[" + b"{}," * 10_000 + b"1]", 400),
        (b"[" + b"1," * 20_000 + b"1]", 400),
        (b'{"video": "' + b"{" * 10_000 + b'"}', 400),
        (b'["' + b'\\"' * 100_000 + b'"]', 400),
        (b'["' + b"\\n" * MIB + b'"]', 400),
        (json.dumps(dict.fromkeys(map(str, range(1025)))).encode(), 400),
        (b"[" + b" " * (TEXT_BYTES + 1) + b"]", 413),
        (b'["' + b'x","'.join([b"x" * 60_000] * 100) + b'"]', 413),
    ],
    ids=["lists", "objects", "numbers", "marks", "quotes", "escapes", "keys", "blanks", "texts"],
)
def test_structure_and_text_are_bounded(body: bytes, status: int) -> None:
    assert refusal(body).status_code == status


def doubled_key(count: int) -> bytes:
    keys = ",".join(f'"{n}":1' for n in range(count))
    return f'{{{keys},"{count - 1}":1}}'.encode()


@pytest.mark.parametrize(
    "make",
    [
        lambda size: doubled_key(size // 50),
        lambda size: b'["' + b"\\\\" * (size // 100) + b'"]',
        lambda size: b'["' + b'\\"' * (size // 100) + b'"]',
        lambda size: b'{"' + b"k" * size + b'": 1}',
        lambda size: b'"' + b"x" * size,
        lambda size: b'["' + b"x" * size + b'"]',
    ],
    ids=["doubled key", "backslashes", "quotes", "key", "no end", "long text"],
)
def test_the_time_grows_with_the_bytes(make: Callable[[int], bytes]) -> None:
    """Of a body 16 times as large, at most 60 times: what is quadratic takes 256 times."""

    def seconds(size: int) -> float:
        body, times = make(size), []
        for _ in range(5):
            started = time.thread_time()
            with suppress(BodyError):
                parse_now(body)
            times.append(time.thread_time() - started)
        return min(times)

    assert seconds(4 * MIB) < 60 * max(seconds(MIB // 4), 0.001)


@pytest.mark.costly
def test_the_event_loop_turns_while_a_large_body_is_read() -> None:
    body = json.dumps({"video": "A" * (48 * MIB), "text": "x" * 60_000}).encode()

    async def turns() -> int:
        reading, count = asyncio.ensure_future(parse(body)), 0
        while not reading.done():
            await asyncio.sleep(0.001)
            count += 1
        await reading
        return count

    assert asyncio.run(turns()) > 3


class Sent:
    """A request whose body arrives in pieces, and counts how often it is asked for one."""

    def __init__(self, *pieces: bytes, kind: str | None = "application/json") -> None:
        self._pieces, self.asked = list(pieces), 0
        headers = [] if kind is None else [(b"content-type", kind.encode())]
        self.request = JsonRequest({"type": "http", "headers": headers}, self._receive)

    async def _receive(self) -> Message:
        self.asked += 1
        piece = self._pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(self._pieces)}


@pytest.mark.parametrize(
    ("declared", "kind"),
    [
        ("application/json", "application/json"),
        ("Application/JSON; charset=utf-8", "application/json"),
        (" text/plain ;x=application/json", "text/plain"),
        (None, ""),
    ],
)
def test_a_media_type_is_read_without_its_parameters(declared: str | None, kind: str) -> None:
    assert media_type(Sent(kind=declared).request) == kind


@pytest.mark.parametrize("kind", ["application/json", "APPLICATION/JSON;charset=utf-8"])
def test_a_body_that_is_declared_as_json_is_taken(kind: str) -> None:
    check_json(Sent(kind=kind).request)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (None, "without a Content-Type"),
        ("text/plain", "as text/plain"),
        ("application/jsonp", "as application/jsonp"),
        ("x" * 9000, "as xxx"),
    ],
)
def test_another_declaration_is_refused_before_the_body_is_read(
    kind: str | None, words: str
) -> None:
    sent = Sent(b"{}", kind=kind)
    with pytest.raises(BodyError) as refused:
        check_json(sent.request)
    assert (refused.value.status_code, sent.asked) == (415, 0)
    assert words in refused.value.detail
    assert len(refused.value.detail) < 1000


async def test_a_request_is_received_and_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    bodies: list[bytes] = []

    async def count(body: bytes) -> Any:
        bodies.append(body)
        return await parse(body)

    monkeypatch.setattr(strict_json, "parse", count)
    sent = Sent(b'{"a', b'": ', b"[1]}")
    value = await sent.request.json()
    assert value == {"a": [1]}
    assert await sent.request.json() is value
    assert await sent.request.body() == b'{"a": [1]}'
    assert (sent.asked, bodies) == (3, [b'{"a": [1]}'])


async def test_a_body_that_is_refused_is_refused_again() -> None:
    request = Sent(b'{"a": NaN}').request
    for _ in range(2):
        with pytest.raises(BodyError) as refused:
            await request.json()
        assert refused.value.param == "a"


@pytest.mark.parametrize("size", [0, 1, MIB, MIB + 1])
async def test_pieces_are_joined_in_their_order(size: int) -> None:
    body = bytes(range(256)) * (size // 256) + bytes(size % 256)

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, size, 100_000):
            yield body[start : start + 100_000]

    assert await gather(pieces()) == body
