"""What `POST /v1/emotion` refuses: a 400 that names the field, and a healthy engine."""

import base64
import io
import json
from typing import Any

import numpy as np
import pytest
import requests

from devtools.server import Server


def npy(array: np.ndarray) -> str:
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return base64.b64encode(file.getvalue()).decode()


HALF_NAN = np.zeros((3, 128), np.float32)
HALF_NAN[0, 5] = np.nan
OBJECTS = np.array([{"a": 1}], dtype=object)

BAD: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown field": ({"emotions": True}, "emotions"),
    "no video": ({"video": None}, "video"),
    "an empty path": ({"video": ""}, "video"),
    "one label": ({"labels": ["a"]}, "labels"),
    "65 labels": ({"labels": [f"label {n}" for n in range(65)]}, "labels"),
    "twins": ({"labels": ["sad", "happy", "sad"]}, "labels"),
    "twins but for spaces": ({"labels": ["sad", " sad "]}, "labels"),
    "an empty label": ({"labels": ["sad", " "]}, "labels"),
    "a label of another type": ({"labels": ["sad", 1]}, "labels"),
    "labels that need many reads": (
        {"labels": [f"{n}{'非常高兴' * 15}" for n in range(64)]},
        "labels",
    ),
    "a short window": ({"timeline": {"window": 0.1, "step": 1}}, "timeline.window"),
    "a window longer than sounds may be": (
        {"timeline": {"window": 1000, "step": 1}},
        "timeline",
    ),
    "no step": ({"timeline": {"window": 1, "step": 0}}, "timeline.step"),
    "a tiny step": ({"timeline": {"window": 0.5, "step": 1e-9}}, "timeline"),
    "half a timeline": ({"timeline": {"window": 1}}, "timeline.step"),
    "more than a timeline": ({"timeline": {"window": 1, "step": 1, "x": 1}}, "timeline.x"),
    "features of another shape": ({"features": npy(np.zeros((2, 128), np.float32))}, "features"),
    "features of another size": ({"features": npy(np.zeros((3, 7), np.float32))}, "features"),
    "features of another type": ({"features": npy(np.zeros((3, 128)))}, "features"),
    "features with a hole": ({"features": npy(HALF_NAN)}, "features"),
    "pickled features": ({"features": npy(OBJECTS)}, "features"),
    "features that are no file": ({"features": "AAAA"}, "features"),
    "features that are no base64": ({"features": "%"}, "features"),
    "huge features": ({"features": "A" * 2_000_000}, "features"),
    "a time past the end": ({"frame": 100}, "frame"),
    "a time before the start": ({"frame": -1}, "frame"),
    "another frame policy": ({"frame": "best"}, "frame"),
    "another task": ({"task": "dance"}, "task"),
    "another language": ({"language": "fr"}, "language"),
    "an empty question": ({"question": ""}, "question"),
    "no tokens": ({"max_tokens": 0}, "max_tokens"),
    "a negative temperature": ({"temperature": -0.1}, "temperature"),
    "a seed of another type": ({"seed": 1.5}, "seed"),
    "a huge seed": ({"seed": 10**30}, "seed"),
}


def refused(response: requests.Response, param: str | None) -> str:
    assert response.status_code == 400, response.text
    error = response.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["param"] == param, error
    assert "Traceback" not in error["message"]
    return error["message"]


@pytest.mark.parametrize("name", BAD)
def test_a_bad_field(server: Server, name: str) -> None:
    fields, param = BAD[name]
    body = {"video": "clip0.mp4", "task": "emotion"} | fields
    response = requests.post(f"{server.url}/v1/emotion", json=body, timeout=60)
    assert refused(response, param)


@pytest.mark.parametrize("field", ["temperature", "frame", "timeline.step", "timeline.window"])
@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_no_number_is_not_a_number(server: Server, field: str, value: str) -> None:
    body = f'{{"video": "clip0.mp4", "{field}": {value}}}'
    if field.startswith("timeline."):
        parts = {"timeline.window": "1", "timeline.step": "1"} | {field: value}
        inside = ", ".join(f'"{k.removeprefix("timeline.")}": {v}' for k, v in parts.items())
        body = f'{{"video": "clip0.mp4", "timeline": {{{inside}}}}}'
    headers = {"Content-Type": "application/json"}
    response = requests.post(f"{server.url}/v1/emotion", data=body, headers=headers, timeout=60)
    assert refused(response, field)


VIDEO = ("video", ("clip.mp4", b"x", "video/mp4"))


@pytest.mark.parametrize(
    ("parts", "param"),
    [
        ([VIDEO, ("request", (None, json.dumps({"video": "clip0.mp4"})))], "video"),
        ([VIDEO, VIDEO], "video"),
        ([("request", (None, "{}"))], "video"),
        ([("video", (None, "text"))], "video"),
        ([VIDEO, ("file", (None, "x"))], "file"),
        ([VIDEO, ("request", (None, "{"))], None),
        ([VIDEO, ("request", (None, '{"task": "dance"}'))], "task"),
        ([VIDEO], "video"),
    ],
)
def test_a_bad_upload(server: Server, parts: Any, param: str | None) -> None:
    response = requests.post(f"{server.url}/v1/emotion", files=parts, timeout=60)
    assert refused(response, param)


def test_an_upload_without_parts(server: Server) -> None:
    for data in (b"", b"--x\r\n", b"nonsense"):
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        response = requests.post(f"{server.url}/v1/emotion", data=data, headers=headers, timeout=60)
        assert response.status_code == 400, response.text
    headers = {"Content-Type": "multipart/form-data"}
    response = requests.post(f"{server.url}/v1/emotion", data=b"x", headers=headers, timeout=60)
    assert response.status_code == 400


def test_a_timelines_form_wants_a_timeline(server: Server) -> None:
    body = {"video": "clip0.mp4"}
    headers = {"Accept": "text/csv"}
    response = requests.post(f"{server.url}/v1/emotion", json=body, headers=headers, timeout=60)
    assert refused(response, "timeline")


def test_too_many_bytes(server: Server) -> None:
    upload = {"video": ("large.mp4", bytes(70 << 20), "video/mp4")}
    response = requests.post(f"{server.url}/v1/emotion", files=upload, timeout=60)
    assert response.status_code == 413
    assert response.json()["error"]["param"] == "video"


def test_a_path_that_the_server_may_not_read_can_be_told_by_its_code(server: Server) -> None:
    codes = {
        "missing.mp4": "video_not_found",
        "/etc/passwd": "video_not_readable",
        "../outside.mp4": "video_not_readable",
        "corrupt.mp4": "invalid_request",
    }
    for path, code in codes.items():
        body = {"video": path}
        response = requests.post(f"{server.url}/v1/emotion", json=body, timeout=60)
        assert response.json()["error"]["code"] == code
