"""The legacy routes, called exactly as the original's documentation shows, on both ports."""

import json
from pathlib import Path
from typing import Any

import pybase64
import pytest
import requests
from PIL import Image

from devtools.media import picture
from devtools.server import Server

PROMPT = "The person in video says: Won't you? [reason] Which emotion does this reflect?"


@pytest.fixture(params=["port 7889", "port 7887"])
def base(request: pytest.FixtureRequest, server: Server) -> str:
    return server.url if request.param == "port 7889" else server.legacy_url


def predict(base: str, data: list[Any], path: str = "/api/predict/") -> requests.Response:
    headers = {"Content-Type": "application/json"}
    body = json.dumps({"data": data})
    return requests.post(base + path, headers=headers, data=body, timeout=120)


@pytest.mark.parametrize("path", ["/api/predict/", "/api/predict"])
def test_predict(base: str, path: str) -> None:
    response = predict(base, ["clip1.mp4", PROMPT], path)
    assert response.status_code == 200
    result = response.json()
    assert set(result) == {"data", "duration"}
    (text,) = result["data"]
    assert isinstance(text, str)
    assert 0 < result["duration"] < 120


def test_process_video(base: str, media_root: Path) -> None:
    body = {"video_path": str(media_root / "clip1.mp4"), "question": PROMPT}
    response = requests.post(f"{base}/process_video", json=body, timeout=120)
    assert response.status_code == 200
    assert set(response.json()) == {"response"}


def test_a_picture_or_a_clip_as_bare_base64(server: Server, media_root: Path) -> None:
    picture_path = media_root / "still.png"
    Image.fromarray(picture(64, 48)).save(picture_path)
    for path in (picture_path, media_root / "clip2.mp4"):
        encoded = pybase64.b64encode(path.read_bytes()).decode()
        for video in (encoded, f"data:application/octet-stream;base64,{encoded}"):
            assert predict(server.url, [video, PROMPT]).status_code == 200


def test_an_http_url(server: Server, origin: str) -> None:
    assert predict(server.url, [f"http://{origin}/clip2.mp4", PROMPT]).status_code == 200


def test_a_question_of_any_length_is_answered(server: Server) -> None:
    assert predict(server.url, ["clip1.mp4", "很长的问题 long " * 4000]).status_code == 200


def test_errors_have_the_documented_shape(base: str) -> None:
    response = predict(base, ["missing.mp4", PROMPT])
    assert response.status_code == 404
    error = response.json()
    assert error["error"] == "Video file not found"
    assert error["code"] == 404
    assert isinstance(error["details"], str)


def test_another_method_is_refused_in_the_same_shape(base: str) -> None:
    for path in ("/api/predict/", "/api/predict", "/process_video"):
        response = requests.get(base + path, timeout=10)
        assert (response.status_code, response.headers["Allow"]) == (405, "POST")
        assert set(response.json()) == {"error", "code", "details"}
