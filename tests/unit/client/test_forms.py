"""Clips and options in the kinds in which programs have them."""

import array
import base64
import io
import json
import os
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any

import httpx2
import numpy as np
import pytest

from emotion_llama import TimelineRequest, errors
from emotion_llama.options import make_call
from tests.unit.client.conftest import ANSWER, Face, refusal

Connect = Callable[..., Face]


def fields(**options: Any) -> dict[str, Any]:
    call = make_call("x", None, "emotion", False, options)  # type: ignore[arg-type]
    body = httpx2.Request("POST", "http://x", json=call.fields).read()
    assert body
    return call.fields


@pytest.mark.parametrize(
    ("timeline", "window", "step"),
    [
        ("2/1", 2, 1),
        (" 2 / 0.5 ", 2, 0.5),
        ("1.5", 1.5, 1.5),
        (2, 2, 2),
        (np.float32(0.5), 0.5, 0.5),
        (np.int64(3), 3, 3),
        (Decimal("1.5"), 1.5, 1.5),
        (Fraction(3, 2), 1.5, 1.5),
        ((2, 1), 2, 1),
        ([np.float32(2), np.int16(1)], 2, 1),
        (np.array([2, 0.5]), 2, 0.5),
        pytest.param((part for part in (2, 1)), 2, 1, id="a generator"),
        ({"window": np.float64(2), "step": 1}, 2, 1),
        (TimelineRequest(window=2, step=1), 2, 1),
    ],
    ids=repr,
)
def test_timelines(timeline: Any, window: float, step: float) -> None:
    assert fields(timeline=timeline)["timeline"] == {"window": window, "step": step}


@pytest.mark.parametrize(
    "timeline", ["", "two", "2/1/3", "2,1", "nan/1", (1, 2, 3), [], [[1, 2], [3, 4]], True]
)
def test_what_is_no_timeline(timeline: Any) -> None:
    with pytest.raises(ValueError, match="WINDOW/STEP in seconds"):
        fields(timeline=timeline)


def test_numbers_of_numpy_and_lists_of_any_kind() -> None:
    found = fields(
        frame=np.float32(1.5),
        seed=np.int64(3),
        max_tokens=np.uint8(9),
        temperature=np.float16(0.5),
        labels=np.array(["a", "b"]),
    )
    wanted = {"frame": 1.5, "seed": 3, "max_tokens": 9, "temperature": 0.5, "labels": ["a", "b"]}
    assert found == wanted | {"task": "emotion"}
    assert [type(found[name]) for name in ("frame", "seed")] == [float, int]
    assert fields(labels={"a": 1, "b": 2}.keys())["labels"] == ["a", "b"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.float32("nan"), object(), 1j])
def test_what_json_does_not_carry(value: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="`frame`"):
        fields(frame=value)


def test_features_in_all_forms(tmp_path: Path) -> None:
    rows = np.arange(12, dtype=np.float64).reshape(3, 4)
    np.save(tmp_path / "rows.npy", rows.astype(np.float32))
    data = (tmp_path / "rows.npy").read_bytes()
    wanted = base64.b64encode(data).decode()
    for form in (data, bytearray(data), memoryview(data), tmp_path / "rows.npy", rows, wanted):
        assert fields(features=form)["features"] == wanted
    with pytest.raises(TypeError, match=r"`features` takes a `\.npy` file"):
        fields(features=[1, 2])


class Reader:
    """A file of another library: it can be read, and nothing else."""

    def __init__(self, data: bytes) -> None:
        self._file = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)


CLIPS: dict[str, Callable[[], Any]] = {
    "bytes": lambda: b"the clip",
    "bytearray": lambda: bytearray(b"the clip"),
    "memoryview": lambda: memoryview(b"the clip"),
    "array": lambda: array.array("B", b"the clip"),
    "numpy": lambda: np.frombuffer(b"the clip", np.uint8),
    "file": lambda: io.BytesIO(b"the clip"),
    "reader": lambda: Reader(b"the clip"),
}


@pytest.mark.parametrize("kind", CLIPS)
def test_what_holds_a_clips_bytes(connect: Connect, kind: str) -> None:
    sent: list[bytes] = []

    def serve(request: httpx2.Request) -> httpx2.Response:
        sent.append(request.read())
        return httpx2.Response(200, json=ANSWER)

    connect(serve).call("analyze", video=CLIPS[kind]())
    assert len(sent) == 1
    assert b"the clip" in sent[0]


class AsyncFile:
    async def read(self, size: int = -1) -> bytes:
        return b""


@pytest.mark.parametrize(
    ("clips", "message"),
    [
        ({"video": "talk.mp4"}, "give a path as `video_path`"),
        ({"video": io.StringIO("x")}, 'mode "rb"'),
        ({"video": AsyncFile()}, "await"),
        ({"video": 3}, "not a int"),
        ({"video": [b"x"]}, "not a list"),
        ({"video_path": b"\0\0\0 ftyp"}, "as `video`"),
        ({"video_path": io.BytesIO(b"x")}, "as `video`"),
        ({"video_path": 3}, "a path or a URL"),
    ],
)
def test_what_is_no_clip_says_why(connect: Connect, clips: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        connect(lambda _: refusal(500)).call("analyze", **clips)


def test_paths_of_every_kind(connect: Connect, tmp_path: Path) -> None:
    clip = tmp_path / "a b#1.mp4"
    clip.write_bytes(b"the clip")
    named: list[str] = []

    def serve(request: httpx2.Request) -> httpx2.Response:
        if request.headers["Content-Type"] == "application/json":
            named.append(request.read().decode())
            return refusal(404, code="video_not_found", param="video")
        assert b"the clip" in request.read()
        return httpx2.Response(200, json=ANSWER)

    client = connect(serve)
    client.call("analyze", clip)
    client.call("analyze", video=clip)
    client.call("analyze", clip.as_uri())
    client.call("analyze", PurePosixPath(clip))
    assert len(named) == 1
    with pytest.raises(errors.NotFoundError):
        client.call("analyze", httpx2.URL("https://host/clip.mp4"))
    assert '"https://host/clip.mp4"' in named[1]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("typo.mp4", "^There is no such file"),
        ("no/such/folder/x.mp4", "^There is no such file"),
        ("clip.mp4/inside", "^There is no such file"),
        ("x" * 5000, "^There is no such file"),
        (".", "^This is a folder"),
        ("pipe", "^This is no regular file"),
    ],
)
def test_a_missing_file_is_said_to_be_missing(
    connect: Connect, tmp_path: Path, name: str, message: str
) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe")
    client = connect(lambda _: refusal(404, code="video_not_found", param="video"))
    with pytest.raises(errors.NotFoundError, match=message) as raised:
        client.call("analyze", tmp_path / name)
    assert (raised.value.code, raised.value.request_id) == ("video_not_found", "r1")


def test_a_url_that_the_server_cannot_fetch_is_no_file(connect: Connect) -> None:
    client = connect(lambda _: refusal(400, "its own words", param="video"))
    with pytest.raises(errors.BadRequestError, match="its own words"):
        client.call("analyze", "https://host/clip.mp4")


def test_task_emotion_has_an_explanation_in_analyze_only(connect: Connect) -> None:
    tasks: list[str] = []

    def serve(request: httpx2.Request) -> httpx2.Response:
        body = json.loads(request.read())
        tasks.append(body["task"])
        if request.headers["Accept"] == "text/csv":
            return httpx2.Response(200, text="start", headers={"Content-Type": "text/csv"})
        if body.get("stream"):
            done = f"event: done\ndata: {json.dumps(ANSWER)}\n\n"
            return httpx2.Response(200, text=done, headers={"Content-Type": "text/event-stream"})
        return httpx2.Response(200, json=ANSWER)

    client = connect(serve)
    client.call("analyze", "x", task="emotion")
    client.call("analyze", "x", task="emotion", explain=False)
    client.each("analyze_many", ["x"], task="emotion")
    client.each("stream", "x", task="emotion")
    client.call("timeline_text", "x", timeline="2/1")
    assert tasks == ["both", "emotion", "emotion", "emotion", "emotion"]
