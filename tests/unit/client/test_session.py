"""Which X-Session-ID a request about a clip has."""

import base64
import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.unit.client.conftest import ANSWER, Face, refusal

Connect = Callable[..., Face]

CLIP = b"the clip" * 500_000
OF_THE_CLIP = hashlib.sha256(CLIP).hexdigest()
DATA_URL = f"data:video/mp4;base64,{base64.b64encode(CLIP).decode()}"
BAD_DATA_URL = "data:video/mp4;base64,AAAAA"


class Stream:
    """A clip that can be read once."""

    def __init__(self) -> None:
        self.read = io.BytesIO(CLIP).read


class Sessions:
    """A server that reads no file, and notes the session of each request."""

    def __init__(self) -> None:
        self.named: list[str | None] = []
        self.uploaded: list[str | None] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        session = request.headers.get("X-Session-ID")
        if request.headers["Content-Type"].startswith("multipart/"):
            self.uploaded.append(session)
            assert CLIP in request.read()
            return httpx2.Response(200, json=ANSWER)
        self.named.append(session)
        is_path = json.loads(request.read())["video"].startswith("/")
        return (
            refusal(404, code="video_not_found") if is_path else httpx2.Response(200, json=ANSWER)
        )


@pytest.fixture
def server() -> Sessions:
    return Sessions()


@pytest.mark.parametrize(
    "form",
    [
        lambda: CLIP,
        lambda: bytearray(CLIP),
        lambda: io.BytesIO(CLIP),
    ],
)
def test_an_upload_has_the_hash_of_its_bytes(
    connect: Connect, server: Sessions, form: Callable[[], Any]
) -> None:
    connect(server).call("analyze", video=form())
    assert server.uploaded == [OF_THE_CLIP]


def test_a_stream_that_can_be_read_once_has_none(connect: Connect, server: Sessions) -> None:
    connect(server).call("analyze", video=Stream())
    assert server.uploaded == [None]


@pytest.mark.parametrize("name", ["https://host/é.mp4", "clips/a.mp4", BAD_DATA_URL])
def test_a_clip_of_the_servers_own_has_the_hash_of_its_name(
    connect: Connect, server: Sessions, name: str
) -> None:
    connect(server).call("analyze", name)
    assert server.named == [hashlib.sha256(name.encode()).hexdigest()]


def test_a_data_url_has_the_hash_of_the_bytes_in_it(connect: Connect, server: Sessions) -> None:
    connect(server).call("analyze", DATA_URL)
    assert server.named == [OF_THE_CLIP]


def test_a_local_file_has_that_of_its_path_until_it_is_uploaded(
    connect: Connect, server: Sessions, tmp_path: Path
) -> None:
    file = tmp_path / "clip.mp4"
    file.write_bytes(CLIP)
    client = connect(server)
    client.call("analyze", file)
    client.call("analyze", file)
    assert server.named == [hashlib.sha256(str(file).encode()).hexdigest()]
    assert server.uploaded == [OF_THE_CLIP] * 2


def test_a_stream_of_answers_has_it_too(connect: Connect, server: Sessions) -> None:
    with pytest.raises(Exception, match="stream"):
        connect(server).each("stream", video=CLIP)
    assert server.uploaded == [OF_THE_CLIP]
