"""Failures of the media code as each kind of route tells them: vLLM's, ours, the original's."""

import errno
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn, cast

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response
from vllm.entrypoints.serve.exception_handling.register import init_exception_handler
from vllm.exceptions import GracefulHTTPError

from emotion_llama_server import errors
from emotion_llama_server.routes import error_route
from emotion_llama_vllm.hooks import connector
from emotion_llama_vllm.hooks.connector import UnusableClip
from emotion_llama_vllm.media.clip_file import ClipFile
from emotion_llama_vllm.media.errors import (
    DecodeTimeout,
    MediaError,
    MediaNotFound,
    MediaTooLarge,
    ServerBusy,
    StorageFull,
    shortage,
)
from emotion_llama_vllm.media.workers import decoder
from emotion_llama_vllm.media.workers.decoder import InProcess

CHAT, LEGACY, EMOTION = "/v1/chat/completions", "/process_video", "/v1/emotion"
WORDS = "Decoding the clip took over 20 s; re-encode it, or cut it."


def told(path: str, error: Exception) -> Response:
    """Ask a route that fails with this error."""
    app, ours = FastAPI(), APIRouter(route_class=error_route.ErrorRoute)
    app.state.args = SimpleNamespace(log_error_stack=False)
    init_exception_handler(app)
    error_route.install(app)

    async def fail() -> None:
        raise error

    (app if path == CHAT else ours).add_api_route(path, fail, methods=["POST"])
    app.include_router(ours)
    return TestClient(app, raise_server_exceptions=False).post(path)


@pytest.mark.parametrize("path", [CHAT, LEGACY, EMOTION])
@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (MediaError, 400),
        (MediaNotFound, 404),
        (MediaTooLarge, 413),
        (ServerBusy, 503),
        (DecodeTimeout, 504),
        (StorageFull, 507),
    ],
)
def test_a_clips_failure_is_told_in_its_own_words(
    path: str, kind: type[MediaError], status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errors, "logger", None)  # nothing went wrong that a log should tell
    error = kind(WORDS)
    answer = told(path, error if path == EMOTION else UnusableClip(error))
    is_missing_in_chat = path == CHAT and kind is MediaNotFound  # see test_error_codes.py
    assert answer.status_code == (400 if is_missing_in_chat else status)
    body = answer.json()
    assert (body["details"] if path == LEGACY else body["error"]["message"]) == WORDS
    assert ("Retry-After" in answer.headers) == (status == 503)


@pytest.mark.parametrize("path", [LEGACY, EMOTION])
@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.EMFILE, "/secret"), "descriptors"),
        (OSError(errno.ENFILE, "/secret"), "descriptors"),
        (OSError(errno.ENOMEM, "/secret"), "memory"),
        (MemoryError(), "memory"),
        (RuntimeError("can't start new thread"), "thread"),
    ],
)
def test_what_the_server_lacks_is_told_as_that(path: str, error: Exception, words: str) -> None:
    answer = told(path, error)
    assert answer.status_code == 503
    assert words in answer.text
    assert "secret" not in answer.text


@pytest.mark.parametrize("error", [OSError(errno.EIO, "x"), KeyError("x"), RuntimeError("x")])
def test_another_error_is_no_shortage(error: Exception) -> None:
    assert shortage(error) is None


def test_a_shortage_is_found_wherever_it_hides() -> None:
    try:
        try:
            raise OSError(errno.EMFILE, "x")
        except OSError as cause:
            raise KeyError("x") from cause
    except KeyError as error:
        outer = ExceptionGroup("all addresses", [ValueError(), error])
    outer.__cause__ = outer  # a circle ends the search
    found = shortage(outer)
    assert found is not None
    assert "descriptors" in str(found)


async def test_a_server_without_memory_is_busy() -> None:
    def hoard(_: bytes) -> SimpleNamespace:
        raise MemoryError

    with ClipFile.in_memory(b"x") as clip, pytest.raises(ServerBusy, match="no memory"):
        await InProcess().run(hoard, clip)


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EIO])
async def test_vllm_is_told_what_decoding_lacks(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a decode worker has to be started anew and there is no descriptor left."""

    class Starved(InProcess):
        async def run(self, job: object, clip: ClipFile) -> NoReturn:
            raise OSError(number, "x")

    (tmp_path / "clip.mp4").write_bytes(b"x")
    monkeypatch.setattr(decoder, "_used", Starved())
    reads = connector.EmotionLlamaMediaConnector(allowed_local_media_path=str(tmp_path))
    with pytest.raises((GracefulHTTPError, OSError)) as caught:
        await reads.load_from_url_async("clip.mp4", cast(Any, None))
    is_busy = isinstance(caught.value, GracefulHTTPError) and caught.value.http_status == 503
    assert is_busy == (number == errno.EMFILE)
