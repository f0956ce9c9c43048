"""What is wrong with an answer."""

import json
from typing import NoReturn
from urllib.parse import unquote

import requests

from emotion_llama.error_codes import ERROR_CODES, error_type
from tests.fuzz.target import Shot

HANG_SECONDS = 60

_LEGACY = ("/api/predict", "/api/predict/", "/process_video")
_SECRETS = ("Traceback", " at 0x", "site-packages", "emotion_llama_vllm")


def complaint(shot: Shot, response: requests.Response, secrets: tuple[str, ...]) -> str | None:
    """Say what is wrong, if anything is.

    Args:
        shot: what was sent.
        response: the answer.
        secrets: further texts that no answer may hold.
    """
    status, text = response.status_code, response.text
    if response.elapsed.total_seconds() > HANG_SECONDS:
        return f"the answer came after {response.elapsed.total_seconds():.0f} s"
    if shot.statuses is not None and status not in shot.statuses:
        return f"status {status}: {text[:300]}"
    if shot.statuses is None and status >= 500:
        return f"status {status}: {text[:300]}"
    if told := [secret for secret in (*_SECRETS, *secrets) if secret in text]:
        return f"the answer holds {told[0]!r}: {text[:300]}"
    if shot.request.method == "HEAD":
        return None
    if "text/event-stream" in response.headers.get("Content-Type", ""):
        return _stream_complaint(text)
    if status >= 400:
        return _error_complaint(shot, response)
    return _number_complaint(response)


def _stream_complaint(text: str) -> str | None:
    """A stream has begun with 200; that it failed is told inside."""
    for line in text.splitlines():
        if line.startswith("data: {") and '"error"' in line:
            error = json.loads(line.removeprefix("data: ")).get("error")
            if isinstance(error, dict) and error.get("type") == "server_error":
                return f"the stream failed: {line[:300]}"
    return None


def _error_complaint(shot: Shot, response: requests.Response) -> str | None:
    """Not the shape that is documented for the route."""
    try:
        body = response.json()
    except ValueError:
        return f"status {response.status_code} without JSON: {response.text[:300]!r}"
    path = unquote(shot.request.path_url.partition("?")[0])
    if path in _LEGACY:
        is_right = set(body) == {"error", "code", "details"} and body["code"] == (
            response.status_code
        )
    else:
        error = body.get("error") if isinstance(body, dict) and len(body) == 1 else None
        is_right = (
            isinstance(error, dict)
            and {"message", "type", "param", "code"} == set(error)
            and error["type"] == error_type(response.status_code)
            and error["code"] in ERROR_CODES
        )
    return None if is_right else f"an error of another shape: {response.text[:300]}"


def _number_complaint(response: requests.Response) -> str | None:
    """JSON has no NaN, whatever Python's own reader takes."""
    if not response.headers.get("Content-Type", "").startswith("application/json"):
        return None
    try:
        json.loads(response.content, parse_constant=_refuse)
    except ValueError as error:
        return f"no JSON ({error}): {response.text[:300]}"
    return None


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)
