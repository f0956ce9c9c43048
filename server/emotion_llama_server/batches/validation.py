"""Checks the lines of a batch before the first one is asked, one line in memory at a time."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from emotion_llama.batch import BatchError
from emotion_llama_server.shortening import printable
from emotion_llama_server.strict_json import BodyError, parse_now

MOST_LINES = 50_000
_MOST_ERRORS = 100
"""The number of errors after which the rest of a file is not read."""
_MOST_NAME = 512
_PIECE = 1 << 20
_FIELDS = frozenset({"custom_id", "method", "url", "body"})


@dataclass(frozen=True)
class Line:
    """Says where a line is in its file."""

    number: int
    """The number of the line, counted from 1."""
    start: int
    """The position of its first byte."""
    size: int
    """The number of its bytes."""
    custom_id: str


class _Wrong(ValueError):
    """Reports what is wrong with a line."""

    def __init__(self, code: str, message: str, param: str | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.param = code, message, param


@dataclass
class Validation:
    """Checks a file, and holds what is wrong with it.

    Args:
        endpoint: the route that each line must name.
        models: the names of the served models.
        most_bytes: the maximum size of a line, that of a request's body.
    """

    endpoint: str
    models: Sequence[str]
    most_bytes: int
    errors: list[BatchError] = field(default_factory=list)
    count: int = 0
    """The number of lines that are right."""
    _names: set[bytes] = field(default_factory=set)

    def lines(self, file: BinaryIO) -> Iterator[Line]:
        """Yield the right lines of a file, up to its end or too many errors."""
        for number, start, data in self._read(file):
            try:
                if self.count >= MOST_LINES:
                    self._note(_too_many(), None)
                    return
                name = self._check(data)
            except _Wrong as wrong:
                self._note(wrong, number)
                if len(self.errors) >= _MOST_ERRORS:
                    return
            else:
                self.count += 1
                yield Line(number, start, len(data or b""), name)
        if not self.count and not self.errors:
            self._note(_Wrong("empty_file", "The file has no line."), None)

    def _read(self, file: BinaryIO) -> Iterator[tuple[int, int, bytes | None]]:
        """Yield the number, the place and the bytes of each line; None for one that is too long."""
        number = start = 0
        while line := file.readline(self.most_bytes + 1):
            number += 1
            size, is_whole = len(line), line.endswith(b"\n") or len(line) <= self.most_bytes
            if not is_whole:
                line = b""
            while not is_whole and (rest := file.readline(_PIECE)):
                size, is_whole = size + len(rest), rest.endswith(b"\n")
            if not line or line.strip():
                yield number, start, line or None
            start += size

    def _check(self, data: bytes | None) -> str:
        """Return the `custom_id` of a line.

        Raises:
            _Wrong: the line cannot be asked.
        """
        if data is None:
            most = self.most_bytes / 2**20
            raise _Wrong("line_too_large", f"The line is over {most:.4g} MiB.")
        try:
            line = parse_now(data.strip())
        except BodyError as error:
            raise _Wrong("invalid_json_line", str(error.detail), error.param) from error
        if not isinstance(line, dict):
            raise _Wrong("invalid_json_line", "The line is no JSON object.")
        self._check_fields(line)
        self._check_body(line.get("body"))
        return self._new_name(line.get("custom_id"))

    def _check_fields(self, line: dict[str, Any]) -> None:
        if unknown := sorted(line.keys() - _FIELDS):
            name = printable(unknown[0])
            raise _Wrong("invalid_json_line", f"`{name}` is no field of a line.", name)
        if line.get("method") != "POST":
            raise _Wrong("invalid_method", "`method` must be POST.", "method")
        if line.get("url") != self.endpoint:
            words = f"`url` must be {self.endpoint}, the endpoint of this batch."
            raise _Wrong("mismatched_url", words, "url")

    def _check_body(self, body: object) -> None:
        if not isinstance(body, dict):
            raise _Wrong("invalid_body", "`body` must be an object.", "body")
        if body.get("stream"):
            raise _Wrong("invalid_body", "A batch cannot stream: leave `stream` out.", "stream")
        model = body.get("model")
        if model is not None and model not in self.models:
            served = ", ".join(self.models)
            raise _Wrong("model_not_found", f"The model is not served; {served} is.", "model")

    def _new_name(self, name: object) -> str:
        if not isinstance(name, str) or not 0 < len(name) <= _MOST_NAME:
            words = f"`custom_id` must be a text of 1 to {_MOST_NAME} characters."
            raise _Wrong("invalid_custom_id", words, "custom_id")
        # A digest takes less memory than the longest names.
        digest = hashlib.sha256(name.encode(errors="surrogatepass")).digest()
        if digest in self._names:
            words = "Another line has this `custom_id`."
            raise _Wrong("duplicate_custom_id", words, "custom_id")
        self._names.add(digest)
        return name

    def _note(self, wrong: _Wrong, number: int | None) -> None:
        self.errors.append(
            BatchError(code=wrong.code, line=number, message=wrong.message, param=wrong.param)
        )


def _too_many() -> _Wrong:
    return _Wrong("too_many_requests_in_file", f"A file may have {MOST_LINES} lines.")
