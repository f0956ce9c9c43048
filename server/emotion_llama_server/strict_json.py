"""The one place where a JSON body is read: bounded before it is parsed, and parsed once.

A body that is small on the wire can be large in memory: brackets become lists and commas become
elements. So the characters that make structure are counted first, and everything beside long
strings (a clip is one) must be short. A key that comes twice is refused, as two programs may use
different values of it, and so are numbers that programs read differently.
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
"""Each of these may stand in a body so many times, inside short strings too: the longest prompt
that a model of this kind reads has far fewer."""

_FREE_ESCAPES, _BYTES_AN_ESCAPE = 1 << 19, 32
"""A body may have so many backslashes, and one more for so many bytes: base64 in lines of 76 has
two in 80, and PHP writes each `/`, which is one character in 64, as `\\/`."""

_MOST_KEYS = 1024
"""An object may have so many; each unknown one becomes an error of its own in pydantic."""

_LONG_STRING = 64 << 10
_MOST_DIGITS = 18
_LARGE_NUMBER = "The body has a number that is too large."
_CHUNK = 1 << 20
"""Bytes that are counted at once; other threads run between two of these."""

_INLINE = 16 << 10
"""Bytes that are parsed faster than another thread takes them up."""


class BodyError(HTTPException):
    """The request's body is refused.

    Args:
        words: what to tell the client.
        status: the HTTP status.
        param: the field to blame, where there is one.
        code: one of `ERROR_CODES`, where the status does not say enough.
    """

    def __init__(
        self, words: str, *, status: int = 400, param: str | None = None, code: str | None = None
    ) -> None:
        super().__init__(status, words)
        self.param, self.code = param, code


class JsonRequest(Request):
    """A request whose `body()` and `json()`, which FastAPI calls, are this module's."""

    _gathered: bytes
    _parsed: Any

    async def body(self) -> bytes:
        """Return the whole body; it is read when it is asked for first."""
        if not hasattr(self, "_gathered"):
            self._gathered = await gather(self.stream())
        return self._gathered

    async def json(self) -> Any:
        """Return the body's value; it is parsed when it is asked for first."""
        if not hasattr(self, "_parsed"):
            self._parsed = await parse(await self.body())
        return self._parsed


def media_type(request: Request) -> str:
    """Return what the client says the body is, in small letters and without parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def check_json(request: Request) -> None:
    """Refuse a body that is not said to be JSON, before it is read.

    Raises:
        BodyError: another Content-Type, or none.
    """
    if (kind := media_type(request)) != "application/json":
        came = f"as {shortened(kind)}" if kind else "without a Content-Type"
        raise BodyError(
            f"The body came {came}: send JSON, with the header `Content-Type: application/json`.",
            status=415,
        )


async def gather(pieces: AsyncIterable[bytes]) -> bytes:
    """Return the pieces of a body as one, without holding the event loop up: copying a large one
    takes a while, in which another thread leaves the interpreter to the loop.
    """
    gathered = [piece async for piece in pieces]
    is_small = sum(map(len, gathered)) <= _CHUNK
    return b"".join(gathered) if is_small else await asyncio.to_thread(b"".join, gathered)


async def parse(body: bytes) -> Any:
    """Return the value of a body, without holding the event loop up.

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
        words = f"The body has over {TEXT_BYTES >> 20} MiB beside its clip."
        raise BodyError(words, status=413)
    for mark, most in _MOST_MARKS.items():
        _check_count(outline, mark, most)
    _check_outline(outline)
    try:
        return from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise BodyError(f"The body is not valid JSON: {error}.") from error


def _check_count(body: bytes, mark: bytes, most: int) -> None:
    """Refuse a body with too many of one character."""
    count = 0
    for start in range(0, len(body), _CHUNK):
        count += body.count(mark, start, start + _CHUNK)
        if count > most:
            raise BodyError(f"The body has over {most} characters {mark.decode()!r}.")


def _outline(body: bytes) -> bytes:
    """Return the body with nothing in its long strings."""
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
    """Return where the quotation mark is that ends the string which starts here."""
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
    """Refuse what parsers read in different ways."""
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
    """A number that is refused, and the keys that lead to it, joined by dots."""

    words: str
    place: str | None = None

    def under(self, key: str) -> "_BadNumber":
        return replace(self, place=key if self.place is None else f"{key}.{self.place}")


def _check_object(pairs: list[tuple[str, object]]) -> _BadNumber | None:
    """Refuse doubled keys; return the first number in the object that is to be refused."""
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
    """Return the first bad number of a value; one of an object stands in the object's place."""
    if isinstance(value, list):
        return next((bad for entry in value if (bad := _bad_number(entry)) is not None), None)
    return value if isinstance(value, _BadNumber) else None


def _whole_number(digits: str) -> _BadNumber | None:
    return _BadNumber(_LARGE_NUMBER) if len(digits.lstrip("-")) > _MOST_DIGITS else None


def _number(text: str) -> _BadNumber | None:
    return _BadNumber(_LARGE_NUMBER) if math.isinf(float(text)) else None


def _constant(name: str) -> _BadNumber:
    return _BadNumber(f"The body is not valid JSON: {name} is no number.")
