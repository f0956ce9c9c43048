"""`client.files` and `client.batches` of both clients, against a server made of a function."""

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from emotion_llama import EmotionLLaMA, errors
from emotion_llama.batch import BatchResult
from emotion_llama.batches.lines import ResultReader, analysis_of
from tests.unit.client.conftest import Face, refusal


@pytest.fixture
def clips(tmp_path: Path) -> list[Path]:
    clip = tmp_path / "a.mp4"
    clip.write_text("happy")
    return [clip]


def test_a_server_without_files_says_how_to_start_one(connect: Any) -> None:
    told = "this server keeps no files: start it with --data-dir DIR"
    error = {"message": told, "type": "not_found_error", "code": "route_not_found"}

    def serve(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(404, json={"error": error})

    client: Face = connect(serve)
    with pytest.raises(errors.NotFoundError, match="--data-dir"):
        client.part("files").call("upload", b"x")


def test_a_batch_is_not_created_twice_when_the_connection_breaks() -> None:
    sent: list[str] = []

    def serve(request: httpx2.Request) -> httpx2.Response:
        sent.append(request.url.path)
        if request.url.path == "/v1/batches":
            raise httpx2.ReadError("reset")
        file = {"id": "file-1", "bytes": 1, "created_at": 1, "expires_at": 2}
        return httpx2.Response(200, json=file | {"filename": "x", "purpose": "batch"})

    with (
        EmotionLLaMA(transport=httpx2.MockTransport(serve)) as client,
        pytest.raises(errors.ConnectionFailed),
    ):
        client.batches.submit(["x.mp4"])
    assert sent == ["/v1/files", "/v1/batches"]


class Limited:
    """A server that refuses its first requests, as one with a rate limit does.

    Args:
        refusals: the number of requests that it refuses.
    """

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.sent: list[str] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.sent.append(request.url.path)
        if len(self.sent) <= self.refusals:
            return httpx2.Response(429, json=refusal(429).json(), headers={"Retry-After": "2"})
        made: dict[str, Any] = {"id": "file-1", "created_at": 1, "expires_at": 2}
        if request.url.path == "/v1/files":
            made |= {"bytes": 1, "filename": "x", "purpose": "user_data"}
        else:
            made |= json.loads(request.content) | {"status": "validating", "request_counts": {}}
        return httpx2.Response(200, json=made)


def test_a_rate_limit_makes_the_upload_of_a_clip_wait(connect: Any, clips: list[Path]) -> None:
    server = Limited(5)
    client: Face = connect(server)
    assert client.part("batches").call("submit", clips[:1]).input_file_id == "file-1"
    assert server.sent == ["/v1/files"] * 7 + ["/v1/batches"]
    assert client.pauses == [2, 2, 10, 2, 2]
    busy = connect(Limited(1000))
    with pytest.raises(errors.RateLimitError):
        busy.part("batches").call("submit", clips[:1])
    assert busy.pauses.count(10) == 30


LINE = b'{"id":"batch_req_%s","custom_id":"a","response":%s,"error":%s}\n'


def line(response: bytes = b"null", error: bytes = b"null") -> bytes:
    return LINE % (b"0" * 32, response, error)


def test_results_are_read_wherever_their_pieces_end() -> None:
    data = line(error=b'{"code":"batch_expired","message":"late"}') * 3
    reader = ResultReader()
    found = [result for at in range(len(data)) for result in reader.read(data[at : at + 1])]
    assert [result.custom_id for result in found] == ["a", "a", "a"]
    with pytest.raises(errors.InvalidAnswer):
        list(ResultReader().read(b"<html>\n"))


@pytest.mark.parametrize(
    ("text", "kind", "told"),
    [
        (line(error=b'{"code":"batch_expired","message":"late"}'), Exception, "late"),
        (line(), errors.InvalidAnswer, "neither"),
        (line(b'{"status_code":200,"request_id":"r","body":{}}'), errors.InvalidAnswer, "answer"),
        (line(b'{"status_code":502,"request_id":"r","body":"x"}'), errors.ServerError, "502"),
    ],
)
def test_a_line_without_an_answer_is_an_error_of_its_kind(
    text: bytes, kind: type[Exception], told: str
) -> None:
    analysis = analysis_of(BatchResult.model_validate_json(text))
    assert analysis.response is None
    assert isinstance(analysis.error, kind)
    assert told in str(analysis.error)
