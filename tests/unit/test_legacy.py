"""The legacy routes' own words: how a video is named, how an answer is cut, how errors look."""

from http import HTTPStatus
from typing import Any

import pybase64
import pytest
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from vllm.exceptions import GracefulHTTPError, VLLMNotFoundError, VLLMValidationError
from vllm.v1.engine.exceptions import EngineDeadError

from emotion_llama_server.errors import describe
from emotion_llama_server.routes.legacy import media_url, post_process, sampling
from tests.support.media import Recipe, make_clip


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


@pytest.mark.parametrize(
    "recipe",
    [Recipe(), Recipe(container="avi", video="mpeg4"), Recipe(container="matroska")],
)
def test_bare_base64_of_a_clip_becomes_a_data_url(recipe: Recipe) -> None:
    encoded = pybase64.b64encode(make_clip(recipe)).decode()
    assert media_url(encoded) == f"data:;base64,{encoded}"


def test_bare_base64_of_a_png_becomes_a_data_url() -> None:
    encoded = pybase64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(100)).decode()
    assert media_url(encoded) == f"data:;base64,{encoded}"


@pytest.mark.parametrize(
    "video",
    ["clip.mp4", "a" * 64, "folder/" * 12, "http://host/x", "data:;base64,AAAA", "/9j/" + "b" * 9],
)
def test_anything_else_stays_as_it_came(video: str) -> None:
    assert media_url(video) == video


def test_an_empty_name_is_refused() -> None:
    with pytest.raises(HTTPException) as caught:
        media_url("  ")
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
        (schema_error(type="missing", loc=("body", "data")), 400, "Invalid request", "data: m"),
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
        (EngineDeadError(), 500, "Internal Server Error", "its log says why"),
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
