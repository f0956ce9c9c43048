"""The Python clients: what they send, how they retry, and what they make of answers."""

import email.utils
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from emotion_llama import TimelineRequest, errors
from tests.unit.client.conftest import ANSWER, Face, refusal

Connect = Callable[..., Face]


def body(request: httpx2.Request) -> dict[str, Any]:
    return json.loads(request.content)


def test_the_documented_call(connect: Connect) -> None:
    sent: list[httpx2.Request] = []

    def serve(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return httpx2.Response(200, json=ANSWER)

    client = connect(serve, api_url="http://localhost:7889", api_key="secret")
    found = client.call("analyze", video_path="on/the/server.mp4", task="emotion")
    assert (found.emotion, found.confidence) == ("happy", 0.9)
    assert found.explanation == "The corners of the mouth are up."
    assert str(sent[0].url) == "http://localhost:7889/v1/emotion"
    assert sent[0].headers["Authorization"] == "Bearer secret"
    assert body(sent[0]) == {"video": "on/the/server.mp4", "task": "both"}


def test_every_field_is_sent_as_it_is_meant(connect: Connect) -> None:
    sent: list[dict[str, Any]] = []

    def serve(request: httpx2.Request) -> httpx2.Response:
        sent.append(body(request))
        return httpx2.Response(200, json=ANSWER)

    client = connect(serve)
    options = {"question": "why?", "transcript": "well", "labels": ["a", "b"], "frame": 1.5,
               "language": "zh", "temperature": 0.5, "max_tokens": 9, "seed": 3}  # fmt: skip
    client.call("analyze", "https://x/clip.mp4", features=b"abc", timeline=(2, 1), **options)
    client.call("analyze", "x", task="emotion", explain=False, transcript=None, seed=None)
    client.call("analyze", "x", timeline=TimelineRequest(window=2, step=1))
    assert sent[0] == options | {
        "video": "https://x/clip.mp4",
        "task": "both",
        "features": "YWJj",
        "timeline": {"window": 2, "step": 1},
    }
    assert sent[1] == {"video": "x", "task": "emotion"}
    assert sent[2]["timeline"] == {"window": 2.0, "step": 1.0}


@pytest.mark.parametrize("clips", [{}, {"video_path": "x", "video": b"x"}])
def test_one_clip_is_wanted(connect: Connect, clips: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="one clip"):
        connect(lambda _: refusal(500)).call("analyze", **clips)


class Files:
    """A server that may read the files of one folder."""

    def __init__(self, readable: Path) -> None:
        self.readable = readable
        self.named: list[str] = []
        self.uploaded: list[bytes] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if request.headers["Content-Type"].startswith("multipart/"):
            self.uploaded.append(request.read())
            return httpx2.Response(200, json=ANSWER)
        self.named.append(body(request)["video"])
        if Path(self.named[-1]).parent == self.readable:
            return httpx2.Response(200, json=ANSWER)
        return refusal(404, code="video_not_readable", param="video")


def test_a_file_that_the_server_reads_is_never_uploaded(connect: Connect, tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"x")
    server = Files(readable=tmp_path)
    connect(server).call("analyze", tmp_path / "clip.mp4")
    assert server.named == [str(tmp_path / "clip.mp4")]
    assert server.uploaded == []


def test_a_file_that_it_cannot_read_is_uploaded(
    connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the next ones of that folder at once; the path that is tried is absolute."""
    for name in ("one.mp4", "two.mp4"):
        (tmp_path / name).write_bytes(name.encode() * 1000)
    server = Files(readable=tmp_path / "other")
    client = connect(server)
    monkeypatch.chdir(tmp_path)
    client.call("analyze", "one.mp4", transcript="well")
    client.call("analyze", "two.mp4")
    assert server.named == [str(tmp_path / "one.mp4")]
    assert [b"one.mp4" * 1000 in data for data in server.uploaded] == [True, False]
    assert b"two.mp4" * 1000 in server.uploaded[1]
    assert json.loads(part(server.uploaded[0], "request")) == {"transcript": "well", "task": "both"}


def part(data: bytes, name: str) -> bytes:
    """One part of a multipart body."""
    _, _, behind = data.partition(f'name="{name}"'.encode())
    return behind.split(b"\r\n\r\n", 1)[1].split(b"\r\n--", 1)[0]


def test_a_path_of_the_servers_own_is_not_uploaded(connect: Connect, tmp_path: Path) -> None:
    server = Files(readable=tmp_path)
    with pytest.raises(errors.NotFoundError):
        connect(server).call("analyze", "there/only.mp4")
    assert server.uploaded == []


def test_a_damaged_file_is_not_sent_twice(connect: Connect, tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"x")
    sent: list[str] = []

    def serve(request: httpx2.Request) -> httpx2.Response:
        sent.append(request.headers["Content-Type"])
        return refusal(400, "damaged", param="video")

    with pytest.raises(errors.BadRequestError):
        connect(serve).call("analyze", tmp_path / "clip.mp4")
    assert sent == ["application/json"]


def test_bytes_are_uploaded_and_again_after_a_refusal(connect: Connect, tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"the clip")
    sent: list[bytes] = []

    def serve(request: httpx2.Request) -> httpx2.Response:
        sent.append(request.read())
        return refusal(503) if len(sent) % 2 else httpx2.Response(200, json=ANSWER)

    client = connect(serve)
    client.call("analyze", video=b"the clip")
    with (tmp_path / "clip.mp4").open("rb") as file:
        client.call("analyze", video=file)
    assert all(b"the clip" in data for data in sent)
    assert len(sent) == 4


class Pipe(io.RawIOBase):
    """Data that can be read once."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._data.readinto(buffer)


def test_what_can_be_read_once_is_sent_once(connect: Connect) -> None:
    sent: list[bytes] = []

    def serve(request: httpx2.Request) -> httpx2.Response:
        sent.append(request.read())
        return refusal(503)

    with pytest.raises(errors.OverloadedError):
        connect(serve).call("analyze", video=Pipe(b"the clip"))
    assert [b"the clip" in data for data in sent] == [True]


def test_a_name_that_is_not_utf_8_is_uploaded(connect: Connect, tmp_path: Path) -> None:
    clip = tmp_path / os.fsdecode(b"\xff.mp4")
    clip.write_bytes(b"the clip")
    server = Files(readable=tmp_path)
    connect(server).call("analyze", clip)
    assert server.named == []
    assert b"the clip" in server.uploaded[0]


@pytest.mark.parametrize("status", [429, 503])
def test_it_waits_as_long_as_it_is_asked_to(connect: Connect, status: int) -> None:
    date = email.utils.formatdate(time.time() + 30, usegmt=True)
    asked = iter(["7", date, "999999"])

    def serve(_: httpx2.Request) -> httpx2.Response:
        answer = refusal(status)
        if (wait := next(asked, None)) is None:
            return httpx2.Response(200, json=ANSWER)
        answer.headers["Retry-After"] = wait
        return answer

    client = connect(serve, max_retries=3)
    client.call("analyze", "x")
    assert client.pauses[0] == 7
    assert 25 < client.pauses[1] <= 30
    assert client.pauses[2] == 60


def test_retries_are_bounded_and_wait_longer_each_time(connect: Connect) -> None:
    sent: list[httpx2.Request] = []

    def serve(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return refusal(503)

    client = connect(serve, max_retries=4)
    with pytest.raises(errors.OverloadedError):
        client.call("analyze", "x")
    assert len(sent) == 5
    assert all(0.25 * 2**n <= pause <= 0.5 * 2**n for n, pause in enumerate(client.pauses))


def test_no_wait_is_asked_for(connect: Connect) -> None:
    asked = iter([httpx2.Response(503, headers={"Retry-After": "0"})])
    client = connect(lambda _: next(asked, None) or httpx2.Response(200, json=ANSWER))
    client.call("analyze", "x")
    assert client.pauses == [0]


@pytest.mark.parametrize(
    "failure",
    [
        httpx2.ConnectError("refused"),
        httpx2.ConnectTimeout("slow"),
        httpx2.ReadError("reset"),
        httpx2.WriteError("reset"),
        httpx2.RemoteProtocolError("closed a connection that was kept"),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_a_connection_that_fails_is_tried_again(connect: Connect, failure: Exception) -> None:
    left = iter([failure])

    def serve(_: httpx2.Request) -> httpx2.Response:
        if error := next(left, None):
            raise error
        return httpx2.Response(200, json=ANSWER)

    client = connect(serve)
    assert client.call("analyze", "x").emotion == "happy"
    assert len(client.pauses) == 1


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (httpx2.ConnectError("refused"), errors.ConnectionFailed),
        (httpx2.ReadTimeout("slow"), errors.RequestTimeout),
        (httpx2.RemoteProtocolError("hung up"), errors.ConnectionFailed),
    ],
)
def test_no_answer_at_all(
    connect: Connect, failure: Exception, kind: type[errors.EmotionLLaMAError]
) -> None:
    def serve(_: httpx2.Request) -> httpx2.Response:
        raise failure

    with pytest.raises(kind) as raised:
        connect(serve, max_retries=1).call("analyze", "x")
    assert raised.value.status is None


KINDS = {
    400: errors.BadRequestError,
    401: errors.AuthenticationError,
    403: errors.PermissionDeniedError,
    404: errors.NotFoundError,
    413: errors.PayloadTooLargeError,
    415: errors.UnsupportedMediaTypeError,
    418: errors.EmotionLLaMAError,
    429: errors.RateLimitError,
    500: errors.ServerError,
    502: errors.ServerError,
    503: errors.OverloadedError,
    504: errors.GatewayTimeoutError,
}


@pytest.mark.parametrize("status", KINDS)
def test_each_status_has_its_exception(connect: Connect, status: int) -> None:
    client = connect(lambda _: refusal(status, "why", param="frame"), max_retries=0)
    with pytest.raises(errors.EmotionLLaMAError, match="why") as raised:
        client.call("analyze", "x")
    error = raised.value
    assert type(error) is KINDS[status]
    assert (error.status, error.request_id, error.param) == (status, "r1", "frame")


def test_a_proxys_page_is_an_error_of_its_status(connect: Connect) -> None:
    page = httpx2.Response(502, text="<html>bad gateway</html>")
    with pytest.raises(errors.ServerError, match="bad gateway"):
        connect(lambda _: page).call("analyze", "x")


def test_an_answer_that_cannot_be_unpacked(connect: Connect) -> None:
    def serve(_: httpx2.Request) -> httpx2.Response:
        packed = httpx2.ByteStream(b"nothing of the kind")
        return httpx2.Response(200, headers={"Content-Encoding": "gzip"}, stream=packed)

    with pytest.raises(errors.InvalidAnswer):
        connect(serve).call("analyze", "x")


@pytest.mark.parametrize("answer", ["<html>", "{}", json.dumps(ANSWER | {"confidence": 7})])
def test_an_answer_of_something_else(connect: Connect, answer: str) -> None:
    with pytest.raises(errors.InvalidAnswer):
        connect(lambda _: httpx2.Response(200, text=answer)).call("analyze", "x")


def test_a_timeline_as_text(connect: Connect) -> None:
    def serve(request: httpx2.Request) -> httpx2.Response:
        assert body(request)["timeline"] == {"window": 2, "step": 1}
        form = request.headers["Accept"]
        return httpx2.Response(200, text=f"as {form}", headers={"Content-Type": f"{form}; x=y"})

    client = connect(serve)
    assert client.call("timeline_text", "x", timeline=(2, 1)) == "as text/csv"
    assert client.call("timeline_text", "x", form="vtt", timeline=(2, 1)) == "as text/vtt"


def test_a_timeline_as_something_else(connect: Connect) -> None:
    page = httpx2.Response(200, html="<p>Log in</p>")
    with pytest.raises(errors.InvalidAnswer, match="text/html"):
        connect(lambda _: page).call("timeline_text", "x", timeline=(2, 1))


def test_models(connect: Connect) -> None:
    model = {"id": "demo", "created": 1, "owned_by": "x", "max_model_len": 5, "description": "d"}
    served = {"object": "list", "data": [model]}
    client = connect(lambda _: httpx2.Response(200, json=served))
    assert client.call("models").data[0].description == "d"


@pytest.mark.parametrize("count", [0, 3, 40])
def test_many_clips_come_as_they_are_done(connect: Connect, count: int) -> None:
    def serve(request: httpx2.Request) -> httpx2.Response:
        return refusal(400) if body(request)["video"] == "2" else httpx2.Response(200, json=ANSWER)

    found = connect(serve).each("analyze_many", map(str, range(count)), concurrency=4)
    assert sorted(int(a.video_path) for a in found) == list(range(count))
    failed = [a.video_path for a in found if a.error is not None]
    assert failed == (["2"] if count else [])
    assert all((a.response is None) == (a.error is not None) for a in found)


def test_a_file_that_vanishes_does_not_stop_the_others(connect: Connect, tmp_path: Path) -> None:
    clips = [tmp_path / folder / "clip.mp4" for folder in "abc"]
    for clip in clips:
        clip.parent.mkdir()
        clip.write_bytes(b"x")
    server = Files(readable=tmp_path)

    def serve(request: httpx2.Request) -> httpx2.Response:
        if clips[1].exists() and str(clips[1]).encode() in request.read():
            clips[1].unlink()
        return server(request)

    found = {a.video_path: a for a in connect(serve).each("analyze_many", clips, concurrency=1)}
    assert [found[clip].response is not None for clip in clips] == [True, False, True]
    assert isinstance(found[clips[1]].error, FileNotFoundError)


def test_many_clips_are_not_taken_before_they_are_wanted() -> None:
    """An endless list of paths is no reason to run out of memory."""
    from emotion_llama import EmotionLLaMA

    taken: list[int] = []

    def endless() -> Any:
        while True:
            taken.append(len(taken))
            yield str(taken[-1])

    answer = httpx2.MockTransport(lambda _: httpx2.Response(200, json=ANSWER))
    answers: Any = EmotionLLaMA(transport=answer).analyze_many(endless(), concurrency=3)
    for _ in range(5):
        next(answers)
    answers.close()
    assert len(taken) <= 5 + 3


def test_the_key_comes_from_the_environment(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMOTION_LLAMA_API_KEY", "from outside")
    seen: list[str] = []

    def serve(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.headers["Authorization"])
        return httpx2.Response(200, json=ANSWER)

    connect(serve).call("analyze", "x")
    assert seen == ["Bearer from outside"]


def test_it_is_light() -> None:
    code = "import sys, emotion_llama; print({'torch', 'vllm', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
