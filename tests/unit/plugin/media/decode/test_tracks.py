"""Of several tracks the default one is used, or the one that is asked for, and it is named."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from devtools.media import Recipe, make_clip
from emotion_llama_server.routes import emotion
from emotion_llama_server.services import install
from emotion_llama_vllm.media.clip import SAMPLING_RATE, Clip
from emotion_llama_vllm.media.decode.first_frame import decode
from emotion_llama_vllm.media.decode.timeline import record
from emotion_llama_vllm.media.decode.tracks import Track
from emotion_llama_vllm.media.errors import TrackError
from emotion_llama_vllm.settings import MediaSettings
from tests.support.apps.services import services
from tests.support.counted import ffmpeg
from tests.unit.server.emotion.test_route import FakeEngine, analyst

SETTINGS = MediaSettings()
TONES = (300, 600, 900)
LEVELS = (40, 120, 200)


def write(path: Path, *, video: str = "", sound: str = "") -> Path:
    """Write a clip with three grey tracks and three tones, and flag those named by their places."""
    inputs: list[object] = []
    for level in LEVELS:
        inputs += [
            "-f",
            "lavfi",
            "-i",
            f"color=0x{level:02x}{level:02x}{level:02x}:s=64x48:r=10:d=1",
        ]
    for hertz in TONES:
        inputs += ["-f", "lavfi", "-i", f"sine={hertz}:d=1"]
    flags: list[object] = [part for number in range(6) for part in ("-map", number)]
    for kind, flagged in (("v", video), ("a", sound)):
        for place in range(3):
            flags += [f"-disposition:{kind}:{place}", "default" if str(place) in flagged else 0]
    languages = ("-metadata:s:a:1", "language=fra", "-metadata:s:a:2", "language=spa")
    codecs = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", "-c:a:2", "ac3")
    ffmpeg(*inputs, *flags, *languages, *codecs, path)
    return path


def used(clip: Clip) -> tuple[int, int]:
    """Return the places of the picture and the sound that a clip has."""
    assert clip.waveform is not None
    peak = np.abs(np.fft.rfft(clip.waveform)).argmax() * SAMPLING_RATE / len(clip.waveform)
    levels = [abs(float(clip.frame.mean()) - level) for level in LEVELS]
    return int(np.argmin(levels)), int(np.argmin([abs(peak - hertz) for hertz in TONES]))


@pytest.mark.parametrize("ending", ["mkv", "mp4", "mov"])
@pytest.mark.parametrize(
    ("video", "sound", "expected"),
    [("", "", (0, 0)), ("1", "2", (1, 2)), ("2", "1", (2, 1)), ("12", "12", (1, 1))],
)
@pytest.mark.costly
def test_the_default_track_wins_over_the_first(
    tmp_path: Path, ending: str, video: str, sound: str, expected: tuple[int, int]
) -> None:
    data = write(tmp_path / f"clip.{ending}", video=video, sound=sound).read_bytes()
    clips = [decode(data, settings=SETTINGS)]
    clips += [w.clip for w in record(data, window=1, step=1, settings=SETTINGS).cut().windows]
    for clip in clips:
        assert used(clip) == expected
        assert clip.video_track == Track(expected[0], None, "h264", 3)
        language, codec = ((None, "aac"), ("fra", "aac"), ("spa", "ac3"))[expected[1]]
        assert clip.audio_track == Track(expected[1], language, codec, 3)


@pytest.mark.parametrize("wanted", range(3))
def test_another_sound_track_can_be_chosen(tmp_path: Path, wanted: int) -> None:
    data = write(tmp_path / "clip.mkv", sound="1").read_bytes()
    assert used(decode(data, audio_track=wanted, settings=SETTINGS)) == (0, wanted)
    recording = record(data, audio_track=wanted, frame="middle", settings=SETTINGS)
    assert used(recording.cut().whole) == (0, wanted)


def test_a_cover_picture_is_no_track(tmp_path: Path) -> None:
    plain = tmp_path / "plain.mp4"
    plain.write_bytes(make_clip(Recipe()))
    covered, cover = tmp_path / "covered.mp4", tmp_path / "cover.png"
    ffmpeg("-f", "lavfi", "-i", "color=red:s=64x64", "-frames:v", 1, cover)
    attach = ("-map", "1", "-map", "0", "-c", "copy", "-disposition:v:0", "attached_pic")
    ffmpeg("-i", plain, "-i", cover, *attach, covered)
    clip = decode(covered.read_bytes(), settings=SETTINGS)
    np.testing.assert_array_equal(clip.frame, decode(plain.read_bytes(), settings=SETTINGS).frame)
    assert clip.video_track == Track(0, None, "h264", 1)


@pytest.mark.parametrize(
    ("data", "wanted", "reason"),
    [
        (make_clip(Recipe()), 1, "no sound track 1; it has 1"),
        (make_clip(Recipe(audio=None)), 0, "has no sound track"),
    ],
)
def test_a_track_that_is_not_there_is_refused(data: bytes, wanted: int, reason: str) -> None:
    for read in (decode, record):
        with pytest.raises(TrackError, match=reason):
            read(data, audio_track=wanted, settings=SETTINGS)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    app = FastAPI()
    app.include_router(emotion.router)
    install(app, services(analyst=analyst(FakeEngine(), tmp_path, megabytes=1)))
    with TestClient(app) as made:
        yield made


def test_the_evidence_names_the_tracks(client: TestClient, tmp_path: Path) -> None:
    write(tmp_path / "tracks.mkv", video="1", sound="2")
    told = client.post("/v1/emotion", json={"video": "tracks.mkv"}).json()["evidence"]
    assert told["video_track"] == {"index": 1, "language": None, "codec": "h264", "count": 3}
    assert told["audio_track"] == {"index": 2, "language": "spa", "codec": "ac3", "count": 3}
    asked = {"video": "tracks.mkv", "audio_track": 1, "timeline": {"window": 1, "step": 1}}
    told = client.post("/v1/emotion", json=asked).json()["evidence"]
    assert told["audio_track"]["language"] == "fra"


def test_what_has_no_tracks_says_so(client: TestClient, tmp_path: Path) -> None:
    (tmp_path / "silent.mp4").write_bytes(make_clip(Recipe(audio=None)))
    told = client.post("/v1/emotion", json={"video": "silent.mp4"}).json()["evidence"]
    assert told["video_track"]["count"] == 1
    assert told["audio_track"] is None


@pytest.mark.parametrize("wanted", [7, -1, "first"])
def test_a_wrong_track_is_blamed_on_its_field(client: TestClient, wanted: object) -> None:
    answer = client.post("/v1/emotion", json={"video": "clip.mp4", "audio_track": wanted})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "audio_track"
