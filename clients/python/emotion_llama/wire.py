"""Implements the exchanges of both clients without any input or output.

An exchange is a generator: it yields the next step (a request to send, a pause, some work) and
receives its result. The synchronous and the asynchronous client differ only in how they execute
the steps.
"""

import email.utils
import random
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import IO, Any, TypeVar
from urllib.parse import unquote

import httpx2
from pydantic import BaseModel, ValidationError

from emotion_llama.error_codes import VIDEO_NOT_FOUND, VIDEO_NOT_READABLE
from emotion_llama.errors import (
    ConnectionFailed,
    EmotionLLaMAError,
    InvalidAnswer,
    RequestTimeout,
    from_response,
)
from emotion_llama.media import is_url
from emotion_llama.session import session_headers

ROUTE = "/v1/emotion"
_NOT_READABLE = (VIDEO_NOT_READABLE, VIDEO_NOT_FOUND)
"""The error codes with which a server reports that it cannot read a path."""

_AGAIN = (429, 503)
_NO_ANSWER = (httpx2.NetworkError, httpx2.RemoteProtocolError, httpx2.ConnectTimeout)
"""The connection errors that a new connection may avoid, such as a closed kept one."""
_NOT_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout)
"""Those after which the server has certainly not seen the request."""
_UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
"""OpenSSL's name for the error, which httpx2 passes on only in the message."""
_NO_TLS = "[SSL"
"""The start of OpenSSL's other errors, as of an answer that is not TLS."""
_LONGEST_PAUSE = 60.0
"""The maximum pause in seconds, whatever a server requests."""

T = TypeVar("T")
Parsed = TypeVar("Parsed", bound=BaseModel)


@dataclass(frozen=True)
class Send:
    """Requests to send this; with `stream`, the body is not read unless it is an error."""

    request: httpx2.Request
    stream: bool


@dataclass(frozen=True)
class Pause:
    """Requests to wait for so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Work:
    """Requests the result of a function that may take long, apart from an event loop."""

    function: Callable[[], Any]


Step = Send | Pause | Work
Exchange = Generator[Step, Any, T]
Build = Callable[..., httpx2.Request]
"""The method `build_request` of an httpx2 client."""


@dataclass(frozen=True)
class Call:
    """Represents one request for an analysis.

    Args:
        fields: the fields of the request that the caller set, without `video`.
        video: a path, a URL or a data URL.
        upload: the clip itself.
        accept: the requested Content-Type.
    """

    fields: dict[str, Any]
    video: str | None
    upload: bytes | IO[bytes] | None
    accept: str = "application/json"

    @property
    def stream(self) -> bool:
        return bool(self.fields.get("stream"))

    @property
    def path(self) -> Path | None:
        """Return the path in `video`, of a local file or of one on the server."""
        if self.video is None:
            return None
        if self.video[:8].lower() == "file:///":
            return Path(unquote(self.video[7:]))
        return None if is_url(self.video) else Path(self.video)

    @property
    def file(self) -> Path | None:
        """Return the local file that `video` names, or None."""
        try:
            return self.path.absolute() if self.path and self.path.is_file() else None
        except (OSError, ValueError):  # the name is too long
            return None


@dataclass
class Exchanges:
    """Builds the exchanges of one client.

    Args:
        build: creates a request.
        server: the server's name in messages.
        retries: how often a request is sent again after 429, 503 or a failed connection.
    """

    build: Build
    server: str
    retries: int
    _not_readable: set[Path] = field(default_factory=set)
    """The folders that the server cannot read; their files are uploaded at once."""

    def analyse(self, call: Call) -> Exchange[httpx2.Response]:
        """Request an analysis; send a local file's path if the server can read it.

        Raises:
            EmotionLLaMAError: there is no answer, or the answer is an error.
        """
        file = call.file
        if call.upload is None and (file is None or self._may_read(file)):
            try:
                return (yield from self._by_name(call, call.video if file is None else str(file)))
            except EmotionLLaMAError as error:
                if error.code in _NOT_READABLE and file is None and call.path is not None:
                    raise error.reworded(_why_no_file(call.path)) from error
                if error.code not in _NOT_READABLE or file is None:
                    raise
            self._not_readable.add(file.parent)
        return (yield from self._by_upload(call, file))

    def _may_read(self, file: Path) -> bool:
        """Return whether the file can be requested by name, which JSON carries only in UTF-8."""
        return file.parent not in self._not_readable and _as_utf8(str(file)) == str(file)

    def models(self) -> Exchange[httpx2.Response]:
        """Request the list of models."""
        return (yield from self.attempts(lambda: self.build("GET", "/v1/models"), stream=False))

    def _by_name(self, call: Call, video: str | None) -> Exchange[httpx2.Response]:
        body = call.fields | {"video": video}
        headers = {"Accept": call.accept} | (yield Work(lambda: session_headers(video)))
        return (
            yield from self.attempts(
                lambda: self.build("POST", ROUTE, json=body, headers=headers), stream=call.stream
            )
        )

    def _by_upload(self, call: Call, file: Path | None) -> Exchange[httpx2.Response]:
        text = httpx2.Request("POST", "http://x", json=call.fields).content
        opened: AbstractContextManager[Any] = (
            file.open("rb") if call.upload is None and file else nullcontext(call.upload)
        )
        with opened as data:
            headers = {"Accept": call.accept} | (yield Work(lambda: session_headers(data)))

            def build() -> httpx2.Request:
                name = _as_utf8(file.name) if file else "video"
                parts = {
                    "request": (None, text, "application/json"),
                    "video": (name, data, "application/octet-stream"),
                }
                return self.build("POST", ROUTE, files=parts, headers=headers)

            # httpx2 rewinds a body that it has sent before, if possible.
            is_repeatable = isinstance(data, bytes) or (
                hasattr(data, "seekable") and data.seekable()
            )
            retries = self.retries if is_repeatable else 0
            return (yield from self.attempts(build, stream=call.stream, retries=retries))

    def attempts(
        self,
        build: Callable[[], httpx2.Request],
        *,
        stream: bool = False,
        retries: int | None = None,
        is_repeatable: bool = True,
    ) -> Exchange[httpx2.Response]:
        """Send a request until it is answered or there have been enough attempts.

        Args:
            build: creates the request of each attempt.
            stream: whether the body of the answer is left to be read.
            retries: replaces the client's number of retries.
            is_repeatable: whether the request may reach the server twice without harm.

        Raises:
            EmotionLLaMAError: there is no answer, or the answer is an error.
        """
        retries = self.retries if retries is None else retries
        avoidable = _NO_ANSWER if is_repeatable else _NOT_SENT
        for attempt in range(retries + 1):
            is_last = attempt == retries
            try:
                response: httpx2.Response = yield Send(build(), stream)
            except httpx2.RequestError as error:
                if is_last or not isinstance(error, avoidable):
                    raise no_answer(error, self.server) from error
                yield Pause(_backoff(attempt))
                continue
            if response.status_code in _AGAIN and not is_last:
                asked = _asked_pause(response)
                yield Pause(_backoff(attempt) if asked is None else asked)
                continue
            if response.is_error:
                raise from_response(response)
            return response
        raise AssertionError("the last attempt returns or raises")


def parse(response: httpx2.Response, kind: type[Parsed]) -> Parsed:
    """Return the parsed body of an answer.

    Raises:
        InvalidAnswer: the body has another shape.
    """
    try:
        return kind.model_validate_json(response.content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the body"
        raise InvalidAnswer(
            f"No Emotion-LLaMA server of this version answered ({place}: {first['msg']}).",
            status=response.status_code,
            request_id=response.headers.get("X-Request-Id"),
        ) from error


def as_text(response: httpx2.Response, kind: str) -> str:
    """Return the body of an answer with this Content-Type.

    Raises:
        InvalidAnswer: the answer has another Content-Type.
    """
    came = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if came != kind:
        raise InvalidAnswer(
            f"{kind} was requested, but the answer is {came or 'of no type'}.",
            status=response.status_code,
            request_id=response.headers.get("X-Request-Id"),
        )
    return response.text


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Report in the client's own errors that a response ends while the block reads it.

    Args:
        what: the name of what is read, `stream` for example.

    Raises:
        RequestTimeout: the next part has not come in time.
        ConnectionFailed: the connection broke.
    """
    try:
        yield
    except httpx2.TimeoutException as error:
        raise RequestTimeout(f"The {what} timed out.") from error
    except httpx2.RequestError as error:
        raise ConnectionFailed(f"The {what} broke off: {error}") from error


def no_answer(error: httpx2.RequestError, server: str) -> EmotionLLaMAError:
    """Return the exception for a request that `server` did not answer."""
    if isinstance(error, httpx2.ConnectTimeout | httpx2.ConnectError | httpx2.ProxyError):
        reason = str(error).strip(". ") or type(error).__name__
        if _UNTRUSTED in reason:
            return ConnectionFailed(
                f"The certificate of {server} is not trusted ({reason}): set SSL_CERT_FILE to "
                "the certificate's file, and use a host name that the certificate contains."
            )
        if _NO_TLS in reason:
            return ConnectionFailed(
                f"The server at {server} cannot be reached ({reason}); if it speaks HTTP, "
                "write http://."
            )
        return ConnectionFailed(
            f"The server at {server} cannot be reached ({reason}): start one with "
            "`emotion-llama serve`, or give the address of one that runs."
        )
    if isinstance(error, httpx2.TimeoutException):
        return RequestTimeout(f"The server at {server} did not answer in time.")
    if isinstance(error, httpx2.DecodingError):
        return InvalidAnswer(f"The answer of {server} cannot be read: {error}")
    reason = str(error).strip(". ") or type(error).__name__
    hint = "; if it speaks HTTPS, write https://" if server.startswith("http://") else ""
    return ConnectionFailed(f"The server at {server} closed the connection ({reason}){hint}.")


def _why_no_file(path: Path) -> str:
    """Return the reason why a path that the server cannot read is no local file either."""
    try:
        if path.is_dir():
            return "This is a folder, not a clip: name a file in it."
        path.stat()
    except PermissionError:
        return "The file may not be read here, and the server cannot read it either."
    except (OSError, ValueError):
        return "There is no such file, neither here nor in the folders that the server reads."
    return "This is no regular file: name a video file."


def _as_utf8(name: str) -> str:
    """Return a name without bytes that are no valid text."""
    return name.encode(errors="replace").decode()


def _backoff(attempt: int) -> float:
    """Return a pause that doubles each time, with a random part against simultaneous retries."""
    return min(0.5 * 2**attempt, 8.0) * random.uniform(0.5, 1)  # noqa: S311


def _asked_pause(response: httpx2.Response) -> float | None:
    """Return the seconds of Retry-After, which contains seconds or a date."""
    asked = response.headers.get("Retry-After", "").strip()
    try:
        if asked.isdecimal():
            seconds = float(asked)
        else:
            date = email.utils.parsedate_to_datetime(asked)
            seconds = (date - datetime.now(timezone.utc)).total_seconds()
    except (ValueError, TypeError):
        return None
    return min(max(seconds, 0.0), _LONGEST_PAUSE)
