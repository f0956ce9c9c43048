"""One vocabulary of errors: what OpenAI's clients, LangChain and our SDKs read in them."""

import json
import re
from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse, StreamingResponse
from fastapi.testclient import TestClient
from httpx2 import Response
from starlette.exceptions import HTTPException
from vllm.entrypoints.serve.exception_handling.error_response import create_error_response
from vllm.exceptions import GenerationError, VLLMNotFoundError, VLLMValidationError

from devtools.paths import CHECKOUT
from emotion_llama.error_codes import ERROR_CODES, status_of_code
from emotion_llama_server.errors import ModelNotFound
from emotion_llama_server.routes import error_route
from emotion_llama_vllm.errors import FieldError
from emotion_llama_vllm.hooks.connector import UnusableClip
from emotion_llama_vllm.media.errors import MediaNotFound, MediaNotReadable

CHAT, EMOTION, LEGACY = "/v1/chat/completions", "/v1/emotion", "/process_video"


def answer(path: str, endpoint: Callable[[], Any]) -> Response:
    """Ask a route that does this."""
    app, router = FastAPI(), APIRouter(route_class=error_route.ErrorRoute)
    router.add_api_route(path, endpoint, methods=["POST"], response_model=None)
    app.include_router(router)
    error_route.install(app)
    return TestClient(app).post(path)


def told(path: str, error: Exception) -> tuple[int, str, str]:
    """Return status, type and code of the answer of a route that fails with this error."""

    async def fail() -> None:
        raise error

    response = answer(path, fail)
    body = response.json()["error"]
    return response.status_code, body["type"], body["code"]


@pytest.mark.parametrize(
    ("error", "status", "kind", "code"),
    [
        (ValueError("x"), 400, "invalid_request_error", "invalid_request"),
        (HTTPException(401), 401, "authentication_error", "invalid_api_key"),
        (HTTPException(403), 403, "permission_error", "permission_denied"),
        (FieldError("x", "labels"), 400, "invalid_request_error", "invalid_request"),
        (ModelNotFound("x"), 404, "not_found_error", "model_not_found"),
        (VLLMNotFoundError("x"), 404, "not_found_error", "model_not_found"),
        (HTTPException(413), 413, "invalid_request_error", "too_large"),
        (HTTPException(415), 415, "invalid_request_error", "unsupported_media_type"),
        (HTTPException(429), 429, "rate_limit_error", "rate_limit_exceeded"),
        (GenerationError("x"), 500, "server_error", "internal_error"),
        (HTTPException(501), 501, "server_error", "internal_error"),
        (HTTPException(503), 503, "server_error", "server_unavailable"),
        (HTTPException(504), 504, "server_error", "processing_timeout"),
        (
            VLLMValidationError("x", parameter="input_tokens"),
            400,
            "invalid_request_error",
            "context_length_exceeded",
        ),
        (MediaNotReadable("x"), 400, "invalid_request_error", "video_not_readable"),
        (MediaNotFound("x"), 404, "not_found_error", "video_not_found"),
    ],
)
def test_each_failure_has_a_type_and_a_code(
    error: Exception, status: int, kind: str, code: str
) -> None:
    assert told(EMOTION, error) == (status, kind, code)


def test_vllms_words_end_without_the_field_that_is_told_beside_them() -> None:
    async def fail() -> None:
        raise VLLMValidationError("`n` is too large.", parameter="n", value=9)

    error = answer(CHAT, fail).json()["error"]
    assert (error["message"], error["param"]) == ("`n` is too large.", "n")


def test_a_missing_clip_is_no_missing_model_in_a_chat() -> None:
    """LangChain takes every 404 of a chat for a missing model."""
    missing = UnusableClip(MediaNotFound("x"))
    assert told(CHAT, missing) == (400, "invalid_request_error", "video_not_found")
    assert told(EMOTION, missing) == (404, "not_found_error", "video_not_found")
    assert told(CHAT, VLLMNotFoundError("x"))[0] == 404


def test_what_vllms_route_refuses_by_itself_has_the_same_words() -> None:
    error = create_error_response("No model x.", "NotFoundError", HTTPStatus.NOT_FOUND, "model")
    response = answer(CHAT, lambda: JSONResponse(error.model_dump(), 404))
    assert response.status_code == 404
    assert response.json()["error"] == {
        "message": "No model x.",
        "type": "not_found_error",
        "param": "model",
        "code": "model_not_found",
    }


def test_an_error_in_vllms_stream_has_the_same_words() -> None:
    error = create_error_response(GenerationError("Internal server error"))

    async def events() -> AsyncIterator[str]:
        yield 'data: {"choices": []}\n\n'
        yield f"data: {json.dumps(error.model_dump())}\n\n"
        yield "data: [DONE]\n\n"

    response = answer(CHAT, lambda: StreamingResponse(events(), media_type="text/event-stream"))
    first, failed, last = response.text.strip().split("\n\n")
    assert (first, last) == ('data: {"choices": []}', "data: [DONE]")
    told = json.loads(failed.removeprefix("data: "))["error"]
    assert (told["type"], told["code"]) == ("server_error", "internal_error")


def test_an_error_of_another_shape_passes() -> None:
    response = answer("/tokenize", lambda: JSONResponse({"detail": "x"}, 400))
    assert response.json() == {"detail": "x"}


def test_the_legacy_shape_is_as_it_was() -> None:
    async def fail() -> None:
        raise MediaNotFound("There is no such file.")

    response = answer(LEGACY, fail)
    assert response.status_code == 404
    assert response.json() == {
        "error": "Video file not found",
        "code": 404,
        "details": "There is no such file.",
    }


def test_both_sdks_know_every_code() -> None:
    source = (CHECKOUT / "clients" / "js" / "src" / "codes.ts").read_text(encoding="utf-8")
    statuses = {code: int(status) for code, status in re.findall(r"\['(\w+)', (\d+)\]", source)}
    assert statuses == {code: known.status for code, known in ERROR_CODES.items()}
    assert {status_of_code(code) for code in (404, "video_not_found")} == {404}
    assert status_of_code("of_a_later_version") is status_of_code(None) is None
