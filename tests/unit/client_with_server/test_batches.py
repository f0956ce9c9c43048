"""`client.files` and `client.batches` of both clients, against the server's own routes."""

import io
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest

from emotion_llama import Batch, ClipUpload, errors
from tests.unit.client_with_server.conftest import BatchServer, Use, lines_of


def finish(use: Use, batch: Batch) -> Batch:
    return use("batches", "wait", batch, every=0.01)


def test_clips_become_one_job_and_each_has_a_result(
    use: Use, server: BatchServer, clips: list[Path]
) -> None:
    named = [*clips, "https://x/clip.mp4", clips[0]]
    said = {clips[0]: {"transcript": "well"}}
    batch = use(
        *("batches", "submit", named),
        task="emotion",
        own_options=lambda clip: said.get(clip, {}),
        metadata={"run": "1"},
        labels=["happy", "sad"],
    )
    assert (batch.endpoint, batch.metadata) == ("/v1/emotion", {"run": "1"})
    updates: list[Batch] = []
    done = use("batches", "wait", batch.id, every=0.01, on_update=updates.append)
    assert (done.status, updates[-1]) == ("completed", done)
    assert done.request_counts.model_dump() == {"total": 4, "completed": 3, "failed": 1}
    *good, bad = use("batches", "results", done)
    assert {analysis.video_path: analysis.response.emotion for analysis in good} == {
        str(clips[0]): "happy",
        str(clips[1]): "sad",
        "https://x/clip.mp4": "happy",
    }
    assert all(analysis.response.explanation == "Two\u2028lines." for analysis in good)
    assert bad.video_path == str(clips[2])
    assert isinstance(bad.error, errors.BadRequestError)
    assert (str(bad.error), bad.error.param, bad.response) == ("damaged", "video", None)
    sent = lines_of(server, batch.input_file_id)
    assert [line["custom_id"] for line in sent] == [*map(str, clips), "https://x/clip.mp4"]
    assert sent[0]["body"] | {"video": ""} == {
        **{"task": "emotion", "labels": ["happy", "sad"], "transcript": "well", "video": ""}
    }
    assert "transcript" not in sent[1]["body"]


def test_an_uploaded_clip_is_deleted_a_day_after_the_window(use: Use, clips: list[Path]) -> None:
    seen: list[ClipUpload] = []
    options = {"completion_window": "2h", "on_upload": seen.append}
    finish(use, use("batches", "submit", clips[:1], **options))
    [upload] = seen
    assert (upload.video_path, upload.error) == (str(clips[0]), None)
    [file] = [file for file in use("files", "list", "user_data") if file.id == upload.video]
    assert file.expires_at - file.created_at == 26 * 3600
    assert (file.filename, file.bytes) == ("a.mp4", 5)


def test_a_clip_that_cannot_be_uploaded_ends_the_method_or_is_left_out(
    use: Use, server: BatchServer, clips: list[Path]
) -> None:
    clips[2].write_bytes(b"")
    before = len(use("batches", "list"))
    with pytest.raises(errors.BadRequestError, match="empty"):
        use("batches", "submit", clips)
    assert len(use("batches", "list")) == before
    seen: list[ClipUpload] = []
    batch = use("batches", "submit", clips, on_upload=seen.append)
    assert [Path(upload.video_path).name for upload in seen if upload.error] == ["c.mp4"]
    assert finish(use, batch).request_counts.total == 2
    with pytest.raises(ValueError, match="No clip could be uploaded"):
        use("batches", "submit", clips[2:], on_upload=seen.append)


def test_face_crops_are_uploaded_with_their_clip(
    use: Use, server: BatchServer, clips: list[Path]
) -> None:
    crops = {clips[0]: np.zeros((1, 112, 112, 3), np.uint8), clips[1]: clips[0].parent}
    seen: list[ClipUpload] = []
    batch = use(
        *("batches", "submit", clips),
        own_options=lambda clip: {"face_crops": crops[clip]} if clip in crops else {},
        on_upload=seen.append,
    )
    [failed] = [upload for upload in seen if upload.error is not None]
    assert (failed.video_path, type(failed.error)) == (str(clips[1]), ValueError)
    packed, plain = lines_of(server, batch.input_file_id)
    assert "face_crops" not in packed["body"]
    container = np.load(io.BytesIO(use("files", "content", packed["body"]["video"])))
    assert container["face_crops"].shape == (1, 112, 112, 3)
    assert use("files", "content", plain["body"]["video"]) == b"bad"
    finish(use, batch)


@pytest.mark.parametrize(
    ("named", "options", "told"),
    [
        ([], {}, "1 to 50000 clips, not 0"),
        (["x.mp4"], {"completion_window": "200h"}, "1h to 168h"),
        (["x.mp4"], {"completion_window": "1d"}, "1h to 168h"),
        (["x" * 513], {}, "512 characters"),
        (["x\udcff.mp4"], {}, "in UTF-8"),
        (["x.mp4"], {"timeline": "never"}, "timeline"),
    ],
)
def test_what_cannot_be_a_batch_is_refused_before_anything_is_uploaded(
    use: Use, server: BatchServer, named: list[str], options: dict[str, Any], told: str
) -> None:
    before = len(server.house.contents())
    with pytest.raises(ValueError, match=told):
        use("batches", "submit", named, **options)
    assert len(server.house.contents()) == before


def test_a_cancelled_batch_names_the_clips_that_were_not_analysed(
    use: Use, server: BatchServer
) -> None:
    with server.held():
        batch = use("batches", "submit", [f"{number}.mp4" for number in range(50)])
        cancelled = use("batches", "cancel", batch)
    assert cancelled.status in ("cancelling", "cancelled")
    done = finish(use, batch)
    assert (done.status, use("batches", "retrieve", batch.id)) == ("cancelled", done)
    results = use("batches", "results", batch.id)
    assert len(results) == 50
    rest = [result.error for result in results if result.error is not None]
    assert {error.code for error in rest} == {"batch_cancelled"}
    assert batch.id in [known.id for known in use("batches", "list")]


def test_there_are_no_results_before_the_end_nor_of_chats(use: Use, server: BatchServer) -> None:
    line = b'{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{}}\n'
    file = use("files", "upload", line, "batch")
    body = {"input_file_id": file.id, "endpoint": "/v1/chat/completions"}
    url = f"{server.url}/v1/batches"
    chat = httpx2.post(url, json=body | {"completion_window": "1h"}).json()["id"]
    use("batches", "wait", chat, every=0.01)
    with pytest.raises(ValueError, match="answers of /v1/chat/completions"):
        use("batches", "results", chat)
    with server.held():
        running = use("batches", "submit", ["x.mp4"])
        with pytest.raises(ValueError, match="its results are there when it is over"):
            use("batches", "results", running)
    finish(use, running)


def test_files_are_uploaded_read_listed_and_deleted(use: Use, clips: list[Path]) -> None:
    kinds = [str(clips[0]), clips[0], b"bytes", io.BytesIO(b"stream")]
    sent = [use("files", "upload", kind, "vision") for kind in kinds]
    assert [file.filename for file in sent] == ["a.mp4", "a.mp4", "file", "file"]
    assert [use("files", "content", file.id) for file in sent] == [
        *(b"happy", b"happy", b"bytes", b"stream")
    ]
    kept = use("files", "upload", b"x", "vision", filename="x.mp4", keep_seconds=3600)
    assert (kept.filename, kept.expires_at - kept.created_at) == ("x.mp4", 3600)
    assert use("files", "list", "vision")[0] == kept
    for file in (*sent, kept):
        assert use("files", "delete", file.id).deleted
    assert not use("files", "list", "vision")
    with pytest.raises(errors.NotFoundError) as missing:
        use("files", "content", kept.id)
    assert missing.value.code == "file_not_found"


def test_lists_are_read_page_by_page(
    use: Use, server: BatchServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emotion_llama.batches.exchanges._PAGE_FILES", 2)
    monkeypatch.setattr("emotion_llama.batches.exchanges._PAGE_BATCHES", 1)
    files = [use("files", "upload", b"x", "vision") for _ in range(5)]
    batches = [finish(use, use("batches", "submit", ["x.mp4"])) for _ in range(2)]
    listed = use("files", "list", "vision")
    assert [file.id for file in listed] == [file.id for file in files[::-1]]
    assert use("batches", "list")[:2] == batches[::-1]
    for file in files:
        use("files", "delete", file.id)
