"""Reads every JSON body: it limits the body before parsing, and parses it once.

A body that is small on the wire can be large in memory: brackets become lists and commas become
elements. Therefore this module first counts the characters that make structure, and limits
everything except long strings (a clip is one). It refuses a key that occurs twice, because two
programs may use different values of it, and numbers that programs read differently.
"""

import asyncio
import codecs
import json
import math
from collections.abc import AsyncIterable
from dataclasses import dataclass, replace
from typing import Any

from fastapi import Request
from pydantic_core import from_json
from starlette.exceptions import HTTPException

from emotion_llama_server.settings import TEXT_BYTES
from emotion_llama_server.shortening import shortened

_MOST_QUOTES = 65_536
_MOST_MARKS = {b"[": 8192, b"{": 8192, b",": 16_384}
"""The maximum count of each character in a body, including short strings. The longest prompt that
such a model reads has far fewer."""

_FREE_ESCAPES, _BYTES_AN_ESCAPE = 1 << 19, 32
"""The number of backslashes that a body may have, and the number of bytes that allow one more.
Base64 in lines of 76 has two in 80, and PHP writes each `/`, one character in 64, as `\\/`."""

_MOST_KEYS = 1024
"""The maximum number of keys in an object; each unknown one becomes a pydantic error of its own."""

_LONG_STRING = 64 << 10
_MOST_DIGITS = 18
_LARGE_NUMBER = "The body has a number that is too large."
_CHUNK = 1 << 20
"""The number of bytes that are counted at once; other threads run between two chunks."""

_INLINE = 16 << 10
"""The size up to which parsing is faster than handing the body to another thread."""


class BodyError(HTTPException):
    """Refuses the request's body.

    Args:
        words: the sentence for the client.
        status: the HTTP status.
        param: the field that caused the error, if there is one.
    """

    def __init__(self, words: str, *, status: int = 400, param: str | None = None) -> None:
        super().__init__(status, words)
        self.param = param


class JsonRequest(Request):
    """Represents a request whose `body()` and `json()`, which FastAPI calls, are safe."""

    has_grammar = False
    """Whether vLLM must compile a form for the answer, and may fail at that."""
    _gathered: bytes
    _parsed: Any

    async def body(self) -> bytes:
        """Return the whole body, which is read at the first call."""
        if not hasattr(self, "_gathered"):
            self._gathered = await gather(self.stream())
        return self._gathered

    async def json(self) -> Any:
        """Return the body's value, which is parsed at the first call."""
        if not hasattr(self, "_parsed"):
            self._parsed = await parse(await self.body())
        return self._parsed


def media_type(request: Request) -> str:
    """Return the body's declared media type, in lower case and without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def check_json(request: Request) -> None:
    """Refuse a body that is not declared as JSON, before it is read.

    Raises:
        BodyError: the Content-Type is missing or another one.
    """
    if (kind := media_type(request)) != "application/json":
        came = f"as {shortened(kind)}" if kind else "without a Content-Type"
        raise BodyError(
            f"The body was sent {came}: send JSON with `Content-Type: application/json`.",
            status=415,
        )


async def gather(pieces: AsyncIterable[bytes]) -> bytes:
    """Join the pieces of a body without blocking the event loop.

    Copying a large body takes a while, in which another thread leaves the interpreter to the loop.
    """
    gathered = [piece async for piece in pieces]
    is_small = sum(map(len, gathered)) <= _CHUNK
    return b"".join(gathered) if is_small else await asyncio.to_thread(b"".join, gathered)


async def parse(body: bytes) -> Any:
    """Return the value of a body, without blocking the event loop.

    Raises:
        BodyError: the body is no strict JSON, or has too much structure or text.
    """
    return parse_now(body) if len(body) <= _INLINE else await asyncio.to_thread(parse_now, body)


def parse_now(body: bytes) -> Any:
    """Return the value of a body.

    Raises:
        BodyError: the body is no strict JSON, or has too much structure or text.
    """
    body = body.removeprefix(codecs.BOM_UTF8)
    _check_count(body, b'"', _MOST_QUOTES)
    _check_count(body, b"\\", _FREE_ESCAPES + len(body) // _BYTES_AN_ESCAPE)
    outline = _outline(body)
    if len(outline) > TEXT_BYTES:
        words = f"The body has over {TEXT_BYTES >> 20} MiB besides its clip."
        raise BodyError(words, status=413)
    for mark, most in _MOST_MARKS.items():
        _check_count(outline, mark, most)
    _check_outline(outline)
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise BodyError(f"The body is not valid JSON: {error}.") from error


def _check_count(body: bytes, mark: bytes, most: int) -> None:
    """Refuse a body that has one character too often."""
    count = 0
    for start in range(0, len(body), _CHUNK):
        count += body.count(mark, start, start + _CHUNK)
        if count > most:
            raise BodyError(f"The body has over {most} characters {mark.decode()!r}.")


def _outline(body: bytes) -> bytes:
    """Return the body without the contents of its long strings."""
    pieces, kept = [], 0
    start = body.find(b'"')
    while start >= 0:
        end = _end_of_string(body, start + 1)
        if end - start > _LONG_STRING:
            pieces.append(body[kept : start + 1])
            kept = end
        start = body.find(b'"', end + 1)
    return b"".join([*pieces, body[kept:]])


def _end_of_string(body: bytes, start: int) -> int:
    """Return the position of the quotation mark that ends the string at `start`."""
    end = body.find(b'"', start)
    while end >= 0:
        backslash = end - 1
        while backslash >= start and body[backslash] == ord("\\"):
            backslash -= 1
        if (end - backslash) % 2:
            return end
        start, end = end + 1, body.find(b'"', end + 1)
    raise BodyError("The body is not valid JSON: a string does not end.")


def _check_outline(outline: bytes) -> None:
    """Refuse text that parsers read in different ways."""
    try:
        value = json.loads(
            outline.decode(),
            object_pairs_hook=_check_object,
            parse_int=_whole_number,
            parse_float=_number,
            parse_constant=_constant,
        )
    except json.JSONDecodeError as error:
        raise BodyError(f"The body is not valid JSON: {error.msg}.") from error
    except UnicodeDecodeError as error:
        raise BodyError("The body is not valid JSON: it is not UTF-8.") from error
    except RecursionError as error:
        raise BodyError("The body is nested too deeply.") from error
    if (number := _bad_number(value)) is not None:
        raise BodyError(number.words, param=number.place)


@dataclass(frozen=True)
class _BadNumber:
    """Holds a number that is refused, and the keys that lead to it, joined by dots."""

    words: str
    place: str | None = None

    def under(self, key: str) -> "_BadNumber":
        return replace(self, place=key if self.place is None else f"{key}.{self.place}")


def _check_object(pairs: list[tuple[str, object]]) -> _BadNumber | None:
    """Refuse duplicate keys; return the first number in the object that must be refused."""
    if len(pairs) > _MOST_KEYS:
        raise BodyError(f"The body has an object of over {_MOST_KEYS} keys.")
    keys: set[str] = set()
    bad: _BadNumber | None = None
    for key, value in pairs:
        if key in keys:
            raise BodyError("The body has a key twice in one object.", param=key)
        keys.add(key)
        if bad is None and (number := _bad_number(value)) is not None:
            bad = number.under(key)
    return bad


def _bad_number(value: object) -> _BadNumber | None:
    """Return the first bad number of a value; an object's bad number takes the object's place."""
    if isinstance(value, list):
        return next((bad for entry in value if (bad := _bad_number(entry)) is not None), None)
    return value if isinstance(value, _BadNumber) else None


def _whole_number(digits: str) -> _BadNumber | None:
    return _BadNumber(_LARGE_NUMBER) if len(digits.lstrip("-")) > _MOST_DIGITS else None


def _number(text: str) -> _BadNumber | None:
    return _BadNumber(_LARGE_NUMBER) if math.isinf(float(text)) else None


def _constant(name: str) -> _BadNumber:
    return _BadNumber(f"The body is not valid JSON: {name} is no number.")
