"""The legacy routes' own words: how a video is named, how an answer is cut, how errors look."""

from http import HTTPStatus
from typing import Any

import pytest
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from vllm.exceptions import GracefulHTTPError, VLLMNotFoundError, VLLMValidationError
from vllm.v1.engine.exceptions import EngineDeadError

from emotion_llama_server.errors import describe
from emotion_llama_server.routes.legacy import named, post_process, sampling


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (" happy ", "happy"),
        ("happy ### Human: more", "happy"),
        ("Assistant: happy", "happy"),
        ("a Assistant: b Assistant: c", "c"),
        ("a ### b Assistant: c", "a"),
        ("", ""),
    ],
)
def test_answers_are_cut_as_the_original_cuts_them(raw: str, text: str) -> None:
    assert post_process(raw) == text


def test_an_empty_name_is_refused() -> None:
    with pytest.raises(HTTPException) as caught:
        named("  ")
    assert caught.value.status_code == 400


def test_the_demos_sampling() -> None:
    params = sampling()
    assert (params.temperature, params.top_p, params.top_k) == (0.2, 0.9, 50)
    assert params.max_tokens == 500
    assert params.extra_args == {"generated_repetition_penalty": 1.05}


def schema_error(**error: Any) -> RequestValidationError:
    return RequestValidationError([{"loc": ("body",), "msg": "m", "input": "secret", **error}])


@pytest.mark.parametrize(
    ("error", "status", "title", "details"),
    [
        (schema_error(type="missing", loc=("body", "data")), 400, "Invalid request", "`data` is"),
        (schema_error(type="json_invalid", loc=("body", 7)), 400, "Invalid request", "valid JSON"),
        (HTTPException(405, "Use POST."), 405, "Method not allowed", "Use POST."),
        (HTTPException(422, "x"), 400, "Invalid request", "x"),
        (VLLMValidationError("too long"), 400, "Invalid request", "too long"),
        (ValueError("wrong"), 400, "Invalid request", "wrong"),
        (VLLMNotFoundError("gone"), 404, "Video file not found", "gone"),
        (
            GracefulHTTPError("big", HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
            413,
            "Video file too large",
            "big",
        ),
        (GracefulHTTPError("busy", HTTPStatus.SERVICE_UNAVAILABLE), 503, "Service unavailable", ""),
        (EngineDeadError(), 503, "Service unavailable", "engine has died"),
        (KeyError("/secret/path"), 500, "Internal Server Error", "its log says why"),
    ],
)
def test_each_failure_has_its_status_and_words(
    error: Exception, status: int, title: str, details: str
) -> None:
    failure = describe(error)
    assert (failure.status, failure.title) == (status, title)
    assert details in failure.details
    assert "secret" not in failure.details
