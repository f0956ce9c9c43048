"""`POST /v1/emotion` without an engine: the answer cache, failures midway, clients that leave."""

import asyncio
import base64
import errno
import io
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response
from PIL import Image
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartParser

from devtools.media import Recipe, make_clip, write_clip
from devtools.paths import CHECKOUT
from emotion_llama.schema import EmotionRequest
from emotion_llama_server.emotion import request
from emotion_llama_server.emotion.request import Submission
from emotion_llama_server.gate import Gate
from emotion_llama_server.routes import emotion
from emotion_llama_server.services import install
from emotion_llama_server.settings import ServerSettings
from emotion_llama_vllm.analysis.labels import LabelTree
from emotion_llama_vllm.media.clip_file import ClipFile
from emotion_llama_vllm.settings import MediaSettings
from emotion_llama_vllm.shares import Asker, asking
from tests.support.apps.emotion_app import WORDS, FakeEngine, analyst
from tests.support.apps.services import services


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def client(engine: FakeEngine, tmp_path: Path) -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(emotion.router)
    settings = ServerSettings(max_answer_tokens=50)
    install(app, services(settings, analyst=analyst(engine, tmp_path, megabytes=1)))
    with TestClient(app) as made:
        yield made


ASKED = {"video": "clip.mp4", "timeline": {"window": 1, "step": 1}}


def warned(answer: dict[str, Any]) -> list[str]:
    return [warning["code"] for warning in answer["warnings"]]


def test_labels_are_scored_in_the_checkpoints_spelling_and_answered_in_the_callers(
    client: TestClient, engine: FakeEngine
) -> None:
    asked = {"video": "clip.mp4", "labels": ["Happy", "SAD ", "fear"]}
    answer = client.post("/v1/emotion", json=asked).json()
    assert engine.scored == ["happy", "sad", "fear"]
    assert list(answer["probabilities"]) == ["Happy", "SAD", "fear"]
    assert answer["emotion"] == "Happy"
    assert "happy, sad, fear" in answer["evidence"]["prompt"]
    assert warned(answer) == ["unknown_label"]
    assert "'fear'" in answer["warnings"][0]["message"]


def test_an_ordinary_answer_has_no_warnings(client: TestClient) -> None:
    assert client.post("/v1/emotion", json=ASKED).json()["warnings"] == []


def test_the_models_words_match_a_label_in_another_spelling(client: TestClient) -> None:
    asked = {"video": "clip.mp4", "labels": ["NEUTRAL", "SAD"]}
    answer = client.post("/v1/emotion", json=asked).json()
    assert (answer["emotion"], answer["answer"]) == ("NEUTRAL", "neutral")
    assert answer["answer_matches"] is True


@pytest.mark.parametrize(
    ("fields", "param", "message"),
    [
        (
            {"lables": ["a"]},
            "lables",
            "`lables` is no field of this request; did you mean `labels`?",
        ),
        ({"zzz": 1}, "zzz", "`zzz` is no field of this request."),
        ({"timeline": {"window": 1}}, "timeline.step", "`timeline.step` is missing."),
        ({"labels": ["a"]}, "labels", "labels: List should have at least 2 items, not 1"),
    ],
)
def test_a_wrong_field_is_told_in_plain_words(
    client: TestClient, fields: dict[str, Any], param: str, message: str
) -> None:
    refused = client.post("/v1/emotion", json={"video": "clip.mp4"} | fields)
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == param
    assert refused.json()["error"]["message"] == message


def test_two_labels_of_one_meaning_are_refused(client: TestClient) -> None:
    refused = client.post("/v1/emotion", json={"video": "clip.mp4", "labels": ["Happy", "HAPPY"]})
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == "labels"
    assert "'Happy' and 'HAPPY'" in refused.json()["error"]["message"]


def test_a_clip_without_sound_is_told(client: TestClient, tmp_path: Path) -> None:
    write_clip(tmp_path / "silent.mp4", Recipe(audio=None))
    answer = client.post("/v1/emotion", json={"video": "silent.mp4"}).json()
    assert warned(answer) == ["no_sound"]


@pytest.mark.parametrize("more", [{}, {"timeline": {"window": 1, "step": 1}}], ids=str)
def test_sound_alone_is_told(client: TestClient, tmp_path: Path, more: dict[str, Any]) -> None:
    write_clip(tmp_path / "voice.mp3", Recipe("mp3", None, "libmp3lame"))
    answer = client.post("/v1/emotion", json={"video": "voice.mp3", **more}).json()
    assert warned(answer) == ["no_picture"]
    assert "trained with" in answer["warnings"][0]["message"]
    evidence = answer["evidence"]
    assert (evidence["has_picture"], evidence["has_audio"]) == (False, True)
    assert evidence["video_track"] is None


def test_a_picture_is_no_sound_alone(client: TestClient, tmp_path: Path) -> None:
    (tmp_path / "face.png").write_bytes(png())
    answer = client.post("/v1/emotion", json={"video": "face.png"}).json()
    assert warned(answer) == ["no_sound"]
    assert answer["evidence"]["has_picture"] is True


def png() -> bytes:
    sink = BytesIO()
    Image.new("RGB", (32, 32)).save(sink, "PNG")
    return sink.getvalue()


def test_sound_beyond_what_the_whole_answer_hears_is_told(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    shorter = MediaSettings(max_audio_seconds=1)
    monkeypatch.setattr("emotion_llama_server.emotion.service.media_settings", lambda: shorter)
    answer = client.post("/v1/emotion", json=ASKED).json()
    assert warned(answer) == ["sound_cut"]
    assert "2.0 s" in answer["warnings"][0]["message"]


def write_container(path: Path, **members: Any) -> None:
    crops = np.zeros((5, 112, 112, 3), np.uint8)
    np.savez(path, video=np.frombuffer(make_clip(), np.uint8), face_crops=crops, **members)


@pytest.mark.parametrize(
    "more", [{}, {"frame": "middle"}, {"timeline": {"window": 1, "step": 1}}], ids=str
)
def test_face_crops_come_in_a_container_and_the_evidence_tells_what_became_of_them(
    engine: FakeEngine, tmp_path: Path, more: dict[str, Any]
) -> None:
    write_container(tmp_path / "clip.npz")
    for face_rows, sources, crops, warnings in (
        ((0, 1), ["computed", "computed", "computed"], 5, []),
        ((1,), ["zero", "computed", "computed"], 5, ["face_crops_unused"]),
        ((), ["zero", "zero", "computed"], 0, ["face_crops_unused"]),
    ):
        app = FastAPI()
        app.include_router(emotion.router)
        served = analyst(engine, tmp_path, megabytes=0, face_rows=face_rows)
        install(app, services(ServerSettings(), analyst=served))
        with TestClient(app) as client:
            answer = client.post("/v1/emotion", json={"video": "clip.npz", **more}).json()
        assert list(answer["evidence"]["feature_rows"].values()) == sources
        assert answer["evidence"]["face_crops"] == crops
        assert answer["evidence"]["features"] == []
        assert warned(answer) == warnings


def ask_about_face(
    engine: FakeEngine, folder: Path, face_rows: tuple[int, ...], **fields: Any
) -> dict[str, Any]:
    """Ask a checkpoint that computes these rows about a clip with a face."""
    shutil.copy(CHECKOUT / "demo/clips/happy_face.mp4", folder / "face.mp4")
    app = FastAPI()
    app.include_router(emotion.router)
    served = analyst(engine, folder, megabytes=0, face_rows=face_rows)
    install(app, services(ServerSettings(), analyst=served))
    with TestClient(app) as client:
        return client.post("/v1/emotion", json={"video": "face.mp4"} | fields).json()


@pytest.mark.costly
def test_the_crops_of_a_clip_are_made_where_nobody_gives_them(
    engine: FakeEngine, tmp_path: Path
) -> None:
    for face_rows, sources in (
        ((0, 1), ["computed", "computed", "computed"]),
        ((1,), ["zero", "computed", "computed"]),
    ):
        answer = ask_about_face(engine, tmp_path, face_rows)
        evidence = answer["evidence"]
        assert list(evidence["feature_rows"].values()) == sources
        assert evidence["face_crops"] == evidence["faces"]["frames"] == 32
        assert (evidence["faces"]["count"], evidence["faces"]["share"]) == (1, 1.0)
        assert 0.2 < evidence["faces"]["box"]["width"] < 0.8
        assert warned(answer) == []


def test_no_face_is_sought_for_a_checkpoint_without_its_encoders_or_for_given_rows(
    engine: FakeEngine, tmp_path: Path
) -> None:
    data = io.BytesIO()
    np.save(data, np.zeros((3, engine.feature_size), np.float32))
    rows = base64.b64encode(data.getvalue()).decode()
    for face_rows, fields in (((), {}), ((0, 1), {"features": rows})):
        evidence = ask_about_face(engine, tmp_path, face_rows, **fields)["evidence"]
        assert evidence["faces"] is None
        assert evidence["face_crops"] == 0


def test_a_clip_without_a_face_is_answered_with_a_warning(
    engine: FakeEngine, tmp_path: Path
) -> None:
    answer = ask_about_face(engine, tmp_path, (0, 1), video="clip.mp4")
    assert list(answer["evidence"]["feature_rows"].values()) == ["zero", "zero", "computed"]
    assert answer["evidence"]["faces"] == {"count": 0, "box": None, "frames": 20, "share": 0.0}
    assert answer["evidence"]["face_crops"] == 0
    assert warned(answer) == ["no_face"]
    assert "in 20 frames" in answer["warnings"][0]["message"]


@pytest.mark.costly
def test_the_peak_works_for_every_checkpoint_and_the_evidence_tells_it(
    engine: FakeEngine, tmp_path: Path
) -> None:
    answer = ask_about_face(engine, tmp_path, (), frame="peak", timeline={"window": 1, "step": 1})
    evidence = answer["evidence"]
    assert (evidence["frame_policy"], evidence["frame_used"]) == ("peak", "peak")
    assert evidence["frame_index"] > 0
    assert evidence["faces"]["count"] == 1
    assert evidence["face_crops"] == 0
    for window in answer["timeline"]:
        assert window["start"] <= window["frame_time"] < window["end"]
    assert warned(answer) == []


@pytest.mark.costly
def test_without_a_face_the_middle_frame_is_used_and_the_warning_tells_it(
    engine: FakeEngine, tmp_path: Path
) -> None:
    asked: dict[str, Any] = {"video": "clip.mp4", "frame": "peak"}
    answer = ask_about_face(engine, tmp_path, (), **asked)
    evidence = answer["evidence"]
    assert (evidence["frame_policy"], evidence["frame_used"]) == ("peak", "middle")
    assert evidence["frame_time"] == pytest.approx(1.0, abs=0.11)
    assert warned(answer) == ["no_peak"]
    assert warned(ask_about_face(engine, tmp_path, (0, 1), **asked)) == ["no_face", "no_peak"]


def test_more_windows_than_frames_for_their_peaks_are_refused(
    engine: FakeEngine, tmp_path: Path
) -> None:
    windows = {"window": 0.5, "step": 0.01}
    refused = ask_about_face(engine, tmp_path, (), frame="peak", timeline=windows)["error"]
    assert refused["param"] == "timeline"
    assert "at most 100 are allowed" in refused["message"]


def test_rows_in_a_container_are_refused_because_they_are_a_field(
    client: TestClient, tmp_path: Path
) -> None:
    write_container(tmp_path / "clip.npz", features=np.zeros((3, 8), np.float32))
    refused = client.post("/v1/emotion", json={"video": "clip.npz"})
    assert refused.status_code == 400
    assert "a field of their own" in refused.json()["error"]["message"]


def test_what_no_window_covers_is_told(client: TestClient) -> None:
    asked = {"video": "clip.mp4", "timeline": {"window": 0.5, "step": 1.5}}
    answer = client.post("/v1/emotion", json=asked).json()
    assert warned(answer) == ["timeline_gaps"]
    assert "1.0 s" in answer["warnings"][0]["message"]


def test_the_times_of_windows_are_told_in_milliseconds(client: TestClient) -> None:
    asked = {"video": "clip.mp4", "timeline": {"window": 0.6, "step": 0.1}}
    windows = client.post("/v1/emotion", json=asked).json()["timeline"]
    assert [window["start"] for window in windows][:4] == [0, 0.1, 0.2, 0.3]  # 3 * 0.1 is above 0.3
    assert [window["end"] for window in windows][:4] == [0.6, 0.7, 0.8, 0.9]


@pytest.mark.parametrize(("frame", "seen"), [("first", [0.0, 1.0]), ("middle", [0.5, 1.5])])
def test_each_window_tells_when_its_picture_is_seen(
    client: TestClient, frame: str, seen: list[float]
) -> None:
    asked = {"video": "clip.mp4", "frame": frame, "timeline": {"window": 1, "step": 1}}
    windows = client.post("/v1/emotion", json=asked).json()["timeline"]
    assert [window["frame_time"] for window in windows] == pytest.approx(seen, abs=0.11)


def test_an_end_that_no_window_covers_is_told(client: TestClient) -> None:
    asked = {"video": "clip.mp4", "timeline": {"window": 1, "step": 1.5}}
    answer = client.post("/v1/emotion", json=asked).json()
    assert [window["end"] for window in answer["timeline"]] == [1.0]
    assert warned(answer) == ["timeline_gaps"]
    assert "1.0 s" in answer["warnings"][0]["message"]


def test_a_known_answer_comes_from_the_cache(client: TestClient, engine: FakeEngine) -> None:
    once = client.post("/v1/emotion", json=ASKED)
    reads = engine.reads
    again = client.post("/v1/emotion", json=ASKED)
    assert [once.headers["X-Cache"], again.headers["X-Cache"]] == ["miss", "hit"]
    assert engine.reads == reads
    one, other = once.json(), again.json()
    assert one.pop("id") != other.pop("id")
    assert other.pop("timing")["decode"] == 0 < one.pop("timing")["decode"]
    assert one == other
    assert one["explanation"] == WORDS[-1]


def test_an_answer_has_no_more_tokens_than_the_operator_allows(
    client: TestClient, engine: FakeEngine
) -> None:
    for asked, given in ((3, 3), (50, 50), (100_000, 50)):
        answer = client.post("/v1/emotion", json=ASKED | {"task": "reason", "max_tokens": asked})
        assert answer.status_code == 200
        assert engine.max_tokens == given


def test_a_key_does_not_learn_what_another_has_asked(engine: FakeEngine, tmp_path: Path) -> None:
    app = FastAPI()
    app.include_router(emotion.router)
    made = analyst(engine, tmp_path, megabytes=1)
    install(app, services(keys="alice:a,bob:b", analyst=made))
    app.add_middleware(Gate)
    with TestClient(app) as client:
        answers = [
            client.post("/v1/emotion", json=ASKED, headers={"X-API-Key": key}) for key in "aabba"
        ]
    assert [answer.headers["X-Cache"] for answer in answers] == ["miss", "hit"] * 2 + ["hit"]
    decoding = [answer.json()["timing"]["decode"] for answer in answers]
    assert [seconds > 0 for seconds in decoding] == [True, False, True, False, False]


def test_a_known_answer_can_be_streamed(client: TestClient, engine: FakeEngine) -> None:
    whole = client.post("/v1/emotion", json=ASKED).json()
    streamed = client.post("/v1/emotion", json=ASKED | {"stream": True})
    assert streamed.headers["X-Cache"] == "hit"
    told = [block.split("\n") for block in streamed.text.strip().split("\n\n")]
    names = [name.removeprefix("event: ") for name, _ in told]
    assert names == ["emotion", "explanation.delta", "timeline.window", "timeline.window", "done"]
    done = json.loads(told[-1][1].removeprefix("data: "))
    assert done["explanation"] == whole["explanation"]
    assert done["timeline"] == whole["timeline"]


def test_an_unfinished_character_is_told_at_the_end_alone(
    client: TestClient, engine: FakeEngine
) -> None:
    engine.words = (" ", " \ufffd", " 因", " 因\ufffd")
    body = client.post("/v1/emotion", json=ASKED | {"stream": True}).text
    said = [json.loads(line[6:]) for line in body.splitlines() if '"delta"' in line]
    assert [piece["delta"] for piece in said] == ["因", "\ufffd"]


def test_chance_is_never_answered_from_the_cache(client: TestClient) -> None:
    asked = ASKED | {"temperature": 1}
    answers = [client.post("/v1/emotion", json=asked) for _ in range(2)]
    assert [answer.headers["X-Cache"] for answer in answers] == ["miss", "miss"]


def test_a_failure_is_not_kept(client: TestClient, engine: FakeEngine) -> None:
    engine.fails = True
    failed = client.post("/v1/emotion", json=ASKED)
    assert failed.status_code == 500
    assert "secret" not in failed.text
    engine.fails = False
    assert client.post("/v1/emotion", json=ASKED).headers["X-Cache"] == "miss"


def test_a_failure_midway_ends_the_stream_with_one_event(
    client: TestClient, engine: FakeEngine
) -> None:
    engine.fails = True
    streamed = client.post("/v1/emotion", json=ASKED | {"stream": True})
    names = [line for line in streamed.text.split("\n") if line.startswith("event: ")]
    assert names.count("event: error") == 1
    assert names[-1] == "event: error"
    assert "event: done" not in names
    assert "secret" not in streamed.text


async def test_whoever_leaves_ends_what_was_running(engine: FakeEngine, tmp_path: Path) -> None:
    asked = Submission(EmotionRequest(video="clip.mp4"), None)
    findings = await analyst(engine, tmp_path, megabytes=0).take_up(asked)
    assert findings.cached is None
    engine.goes_on.clear()
    await anext(findings.events)
    assert engine.running == 1
    await findings.events.aclose()
    assert engine.running == 0


def many_labels(count: int) -> list[str]:
    return [f"label {number}" for number in range(count)]


@pytest.mark.costly
def test_windows_times_reads_are_bounded_and_told(client: TestClient, engine: FakeEngine) -> None:
    asked = ASKED | {"labels": many_labels(64), "timeline": {"window": 0.5, "step": 0.001}}
    refused = client.post("/v1/emotion", json=asked)
    assert refused.status_code == 400
    error = refused.json()["error"]
    assert error["param"] == "timeline"
    seconds, windows, reads, most_reads, most_windows = map(
        int, re.findall(r"\d+", error["message"])
    )
    assert (seconds, reads, most_reads, most_windows) == (2, 65, 65536, 65536 // 65)
    assert 1501 <= windows <= 1510
    assert engine.reads == 0
    enough = client.post("/v1/emotion", json=asked | {"timeline": {"window": 0.5, "step": 0.0015}})
    assert enough.status_code == 200
    assert len(enough.json()["timeline"]) <= 65536 // 65


@pytest.mark.parametrize("step", [5e-324, 1e-300, 1e-9, 0.0001])
def test_a_tiny_step_is_refused(client: TestClient, step: float) -> None:
    refused = client.post("/v1/emotion", json=ASKED | {"timeline": {"window": 0.5, "step": step}})
    assert refused.status_code == 400
    error = refused.json()["error"]
    assert error["param"] == "timeline"
    assert len(error["message"]) < 200


@pytest.mark.parametrize(("alone", "most"), [(True, 16), (False, 1)])
async def test_windows_are_looked_at_a_few_at_a_time(
    engine: FakeEngine, tmp_path: Path, alone: bool, most: int
) -> None:
    """Neither tasks nor prompts are made in advance."""
    rendered, render = 0, engine.render_clip
    engine.goes_on.clear()

    async def count(clip: Any, text: str, *, style: str) -> dict[str, Any]:
        nonlocal rendered
        rendered += 1
        await engine.goes_on.wait()
        return await render(clip, text, style=style)

    backgrounds: list[bool] = []
    read = engine.read_labels

    async def note(prompt: Any, tree: LabelTree) -> tuple[dict[str, float], list[Any]]:
        backgrounds.append(asking.get().is_background)
        return await read(prompt, tree)

    engine.render_clip, engine.read_labels = count, note
    asking.set(Asker("a", is_alone=lambda: alone))
    asked = {"video": "clip.mp4", "task": "emotion", "timeline": {"window": 0.5, "step": 0.002}}
    submission = Submission(EmotionRequest.model_validate(asked), None)
    findings = await analyst(engine, tmp_path, megabytes=0).take_up(submission)
    before = len(asyncio.all_tasks())
    looking = asyncio.create_task(findings.whole())
    for _ in range(100):
        await asyncio.sleep(0)
    assert rendered == most + 1  # and the clip as a whole
    assert len(asyncio.all_tasks()) < before + most + 10
    engine.goes_on.set()
    windows = len((await looking).timeline or [])
    assert windows >= 751
    assert sorted(backgrounds) == [False] + [True] * windows


SPOOL = MultiPartParser.spool_max_size


def upload(client: TestClient, size: int, **fields: Any) -> Response:
    """Upload a clip with bytes behind it, which decoding does not mind."""
    data = make_clip(Recipe(audio=None)).ljust(size, b"\0")
    form = {"request": json.dumps(fields)} if fields else {}
    return client.post("/v1/emotion", files={"video": ("clip.mp4", data)}, data=form)


@pytest.mark.parametrize("size", [0, SPOOL - 1, SPOOL, SPOOL + 1, 3 * SPOOL])
def test_an_upload_is_analysed_whether_it_is_kept_in_memory_or_on_disk(
    client: TestClient, size: int
) -> None:
    answer = upload(client, size)
    assert answer.status_code == 200
    assert answer.json()["explanation"] == WORDS[-1]


def _full(*_: object, **__: object) -> BinaryIO:
    return cast(BinaryIO, Path("/dev/full").open("w+b"))


def _fails(number: int) -> Callable[..., BinaryIO]:
    def fail(*_: object, **__: object) -> BinaryIO:
        raise OSError(number, os.strerror(number))

    return fail


NO_DISK: dict[str, tuple[Callable[..., BinaryIO], int]] = {
    "full": (_full, 507),
    "over its quota": (_fails(errno.EDQUOT), 507),
    "read only": (_fails(errno.EROFS), 507),
    "not writable": (_fails(errno.EACCES), 507),
    "no folder": (_fails(errno.ENOENT), 507),
    "no descriptors": (_fails(errno.EMFILE), 503),
}


@pytest.mark.parametrize("name", NO_DISK)
def test_without_a_disk_small_uploads_are_taken_and_large_ones_told_why_not(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    make, status = NO_DISK[name]
    monkeypatch.setattr(tempfile, "TemporaryFile", make)
    assert upload(client, 20_000).status_code == 200
    refused = upload(client, 3 * SPOOL)
    assert refused.status_code == status
    error = refused.json()["error"]
    assert error["param"] is None
    assert error["message"].endswith("again later.")
    assert ("Retry-After" in refused.headers) == (status == 503)
    assert upload(client, SPOOL).status_code == 200


def test_without_a_folder_for_temporary_files_small_uploads_are_taken(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/no/such/folder")
    assert upload(client, SPOOL).status_code == 200
    assert upload(client, 3 * SPOOL).status_code == 507


@pytest.mark.parametrize(("fields", "accepted"), [({"video": "clip.mp4"}, "*/*"), ({}, "text/csv")])
@pytest.mark.parametrize("size", [0, 3 * SPOOL])
def test_the_file_of_a_refused_upload_is_closed_at_once(
    client: TestClient,
    monkeypatch: pytest.MonkeyPatch,
    fields: dict[str, Any],
    accepted: str,
    size: int,
) -> None:
    kept: list[ClipFile] = []
    keep = request.keep

    def keep_and_note(video: UploadFile) -> ClipFile:
        kept.append(keep(video))
        return kept[-1]

    monkeypatch.setattr(request, "keep", keep_and_note)
    client.headers["Accept"] = accepted
    assert upload(client, size, **fields).status_code == 400
    assert [clip.file.closed for clip in kept] == [True]
