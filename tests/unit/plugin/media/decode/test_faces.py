"""Face crops and peaks of raw clips, which are made while the clip is decoded."""

import io
from collections.abc import Sequence
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from devtools.media import Recipe, make_clip
from devtools.paths import CHECKOUT
from emotion_llama.schema import EmotionRequest
from emotion_llama_vllm.analysis.clips import decoding
from emotion_llama_vllm.media.clip import Clip
from emotion_llama_vllm.media.decode import faces as decode_faces
from emotion_llama_vllm.media.decode import first_frame, timeline
from emotion_llama_vllm.media.decode.first_frame import decode
from emotion_llama_vllm.media.decode.picture import frames as frames_module
from emotion_llama_vllm.media.decode.picture.pixels import to_rgb
from emotion_llama_vllm.media.decode.timeline import record
from emotion_llama_vllm.media.errors import TimelineError
from emotion_llama_vllm.media.faces.sampling import FEWEST, spread
from emotion_llama_vllm.settings import MediaSettings
from tests.unit.plugin.media.decode.test_npz import container

SMILE = (CHECKOUT / "demo/clips/happy_face.mp4").read_bytes()
NO_FACE = make_clip()
ROWS = (0, 1)
FEW = MediaSettings(face_frames=FEWEST)
OPTIONS = {"libx264": {"qp": "18"}, "libx265": {"x265-params": "log-level=none"}}
GREY = np.full((224, 224, 3), 128, np.uint8)


def pictures_of(data: bytes) -> list[npt.NDArray[np.uint8]]:
    with av.open(io.BytesIO(data), "r") as opened:
        return [to_rgb(frame) for frame in opened.decode(video=0)]


def clip_of(
    pictures: Sequence[npt.NDArray[np.uint8]], codec: str = "libx264", pixels: str = "yuv420p"
) -> bytes:
    """Return a clip of these pictures, ten a second."""
    data = io.BytesIO()
    with av.open(data, "w", format="mp4") as made:
        stream: Any = made.add_stream(codec, rate=10, options=OPTIONS[codec])
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = pixels
        for picture in pictures:
            made.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        made.mux(stream.encode(None))
    return data.getvalue()


def png(picture: npt.NDArray[np.uint8]) -> bytes:
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "PNG")
    return data.getvalue()


def crops_of(clip: Clip) -> npt.NDArray[np.uint8]:
    assert clip.face_crops is not None
    return clip.face_crops


def test_a_clip_gets_crops_and_is_otherwise_the_same() -> None:
    plain = decode(SMILE, size=64, settings=FEW)
    clip = decode(SMILE, size=64, face_rows=ROWS, settings=FEW)
    assert crops_of(clip).shape == (FEWEST, 112, 112, 3)
    assert crops_of(clip).any(axis=(1, 2, 3)).all()
    assert clip.nbytes == plain.nbytes + crops_of(clip).nbytes
    np.testing.assert_array_equal(clip.frame, plain.frame)
    np.testing.assert_array_equal(clip.waveform, plain.waveform)
    assert (clip.frame_index, clip.frame_time) == (plain.frame_index, plain.frame_time)
    assert (clip.video_track, clip.audio_track) == (plain.video_track, plain.audio_track)
    assert clip.faces is not None
    assert (clip.faces.count, clip.faces.share, clip.faces.looked_at) == (1, 1.0, FEWEST)
    assert clip.faces.box is not None
    left, top, width, height = clip.faces.box
    assert 0 < left < left + width < 1
    assert 0 < top < top + height < 1


@pytest.mark.costly
def test_a_few_crops_are_those_of_all_frames() -> None:
    few = crops_of(decode(SMILE, face_rows=ROWS, settings=FEW)).astype(int)
    everything = MediaSettings(face_frames="all")
    every = crops_of(decode(SMILE, face_rows=ROWS, settings=everything)).astype(int)
    assert len(every) == len(pictures_of(SMILE)) > FEWEST
    chosen = every[spread(len(every), FEWEST)]
    others = every[[index + 3 for index in spread(len(every) - 3, FEWEST)]]
    assert np.abs(few - chosen).mean() < min(3, np.abs(few - others).mean())


def test_the_file_is_decoded_once_for_the_frame_and_the_crops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    converted: list[object] = []
    to_rgb = frames_module.to_rgb

    def counted(frame: av.VideoFrame) -> npt.NDArray[np.uint8]:
        converted.append(frame)
        return to_rgb(frame)

    monkeypatch.setattr(frames_module, "to_rgb", counted)
    decode(SMILE, face_rows=ROWS, settings=FEW)
    assert len(converted) == len({0, *spread(len(pictures_of(SMILE)), FEWEST)})


def test_frames_without_a_face_have_black_crops() -> None:
    faces = pictures_of(SMILE)
    data = clip_of([*faces[:8], *[GREY] * 8])
    clip = decode(data, face_rows=ROWS, settings=FEW)
    shown = crops_of(clip).any(axis=(1, 2, 3))
    assert shown.tolist() == [True] * 8 + [False] * 8
    assert clip.faces is not None
    assert clip.faces.share == 0.5


@pytest.mark.parametrize("data", [NO_FACE, png(GREY), png(GREY[:1, :1])], ids=len)
def test_a_clip_without_a_face_has_no_crops(data: bytes) -> None:
    clip = decode(data, face_rows=ROWS, settings=FEW)
    assert clip.face_crops is None
    assert clip.faces is not None
    assert (clip.faces.count, clip.faces.box, clip.faces.share) == (0, None, 0.0)


def test_a_still_has_one_crop(smile: npt.NDArray[np.uint8]) -> None:
    for clip in (
        decode(png(smile), size=64, face_rows=ROWS, settings=FEW),
        record(png(smile), size=64, window=1, step=1, face_rows=ROWS, settings=FEW).cut().whole,
    ):
        assert crops_of(clip).shape == (1, 112, 112, 3)
        assert clip.frame.shape == (64, 64, 3)


@pytest.mark.parametrize(
    ("codec", "pixels"), [("libx264", "gray"), ("libx265", "yuv420p10le"), ("libx264", "yuv444p")]
)
def test_a_face_is_found_in_grey_deep_and_full_colours(codec: str, pixels: str) -> None:
    data = clip_of(pictures_of(SMILE)[:3], codec, pixels)
    crops = crops_of(decode(data, face_rows=ROWS, settings=FEW))
    usual = crops_of(decode(SMILE, face_rows=ROWS, settings=FEW))[:3]
    found, expected = (np.ravel(some @ (0.299, 0.587, 0.114)) for some in (crops, usual))
    assert np.corrcoef(found, expected)[0, 1] > 0.9


def test_crops_are_made_only_for_rows_that_nobody_brings() -> None:
    video = np.frombuffer(SMILE, np.uint8)
    given = np.full((2, 112, 112, 3), 7, np.uint8)
    rows = np.ones((3, 8), np.float32)
    missing = rows.copy()
    missing[1] = np.nan
    for members, rows_wanted, crops in (
        ({"face_crops": given}, ROWS, 2),
        ({"features": rows}, ROWS, 0),
        ({"features": missing}, ROWS, FEWEST),
        ({"features": missing}, (0,), 0),
        ({"features": missing, "face_crops": given}, ROWS, 2),
    ):
        data = container(video=video, **members)
        clip = decode(data, face_rows=rows_wanted, settings=FEW)
        assert (0 if clip.face_crops is None else len(clip.face_crops)) == crops
        assert (clip.faces is None) == (crops != FEWEST)


def test_a_checkpoint_without_encoders_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a face is sought")

    monkeypatch.setattr(decode_faces, "find_faces", refuse)
    monkeypatch.setattr(first_frame, "record", refuse)
    assert decode(SMILE, settings=FEW).faces is None
    monkeypatch.setattr(decode_faces, "Look", refuse)
    cut = timeline.record(SMILE, frame="middle", window=1, step=1, settings=FEW).cut()
    assert cut.whole.faces is None


def test_the_job_of_a_request_names_the_rows_that_it_does_not_bring() -> None:
    def job(rows: Sequence[int], **fields: Any) -> dict[str, Any]:
        made: Any = decoding(EmotionRequest(**fields), face_rows=rows, settings=FEW)
        return made.keywords

    assert "face_rows" not in job(())
    assert job(ROWS)["face_rows"] == ROWS
    assert job(ROWS, frame="middle")["face_rows"] == ROWS
    features = np.ones((3, 8), np.float32)
    features[1] = np.nan
    assert job(ROWS, features=npy(features))["face_rows"] == (1,)
    assert "face_rows" not in job((0,), features=npy(features))


def npy(array: npt.NDArray[np.float32]) -> str:
    import base64

    data = io.BytesIO()
    np.save(data, array)
    return base64.b64encode(data.getvalue()).decode()


class LongFrames:
    """Frames of an hour at 30 a second, of which nothing needs to be decoded."""

    pixels = 320 * 240

    def between(self, start: float, end: float) -> range:
        return range(round(30 * start), round(30 * end))

    def usable(self, index: int) -> int:
        return index


def test_the_crops_of_a_long_clip_come_from_a_stretch_that_can_be_decoded() -> None:
    frames: Any = LongFrames()
    chosen = decode_faces._crop_frames(frames, (0, 3600), MediaSettings())
    assert len(chosen) == 49
    assert 3000 < chosen[-1] < 120 * 30
    frames.pixels = 7680 * 4320
    assert decode_faces._crop_frames(frames, (0, 3600), MediaSettings())[-1] < 64
    every = MediaSettings(face_frames="all", max_face_crops=100)
    assert len(decode_faces._crop_frames(frames, (0, 3600), every)) <= 100


def test_the_frames_for_the_peaks_of_windows_are_limited() -> None:
    frames: Any = LongFrames()
    windows = [(float(start), start + 2.0) for start in range(100)]
    settings = MediaSettings()
    chosen = decode_faces._peak_frames(frames, windows, settings)
    assert len(chosen) <= settings.max_face_crops
    assert all(any(s * 30 <= i < e * 30 for i in chosen) for s, e in windows)
    with pytest.raises(TimelineError, match="at most 100 are allowed"):
        decode_faces._peak_frames(frames, [*windows, (100.0, 102.0)], settings)


@pytest.mark.costly
def test_the_peak_is_the_frame_with_the_strongest_expression_of_each_window() -> None:
    calm = pictures_of((CHECKOUT / "demo/clips/sad_face.mp4").read_bytes())[0]
    strong = pictures_of((CHECKOUT / "demo/clips/surprise_face.mp4").read_bytes())[9]
    data = clip_of([calm] * 6 + [strong] * 2 + [calm] * 4 + [GREY] * 8)
    cut = record(data, frame="peak", window=0.5, step=0.5, settings=FEW).cut()
    assert cut.whole.frame_index in (6, 7)
    assert not cut.whole.lacks_peak
    assert cut.windows[1].clip.frame_index in (6, 7)
    assert cut.windows[0].clip.frame_index < 5
    assert [window.clip.lacks_peak for window in cut.windows] == [False, False, False, True]
    assert cut.windows[3].clip.frame_index == 17
    assert cut.whole.faces is not None
    assert cut.whole.faces.count == 1
    assert not cut.whole.faces.for_rows
    assert cut.whole.face_crops is None


def test_without_a_face_the_middle_frame_stands_in_for_the_peak() -> None:
    for data, index in ((NO_FACE, 5), (png(GREY), 0)):
        clip = record(data, frame="peak", settings=FEW).cut().whole
        assert clip.lacks_peak
        assert clip.frame_index == index


def test_sound_alone_has_neither_crops_nor_a_peak() -> None:
    sound = make_clip(Recipe(video=None))
    clip = decode(sound, face_rows=ROWS, settings=FEW)
    assert (clip.has_picture, clip.face_crops, clip.faces) == (False, None, None)
    peak = record(sound, frame="peak", window=0.5, step=0.5, settings=FEW).cut()
    assert peak.whole.lacks_peak
    assert all(window.clip.lacks_peak for window in peak.windows)


def test_a_still_with_a_face_is_its_own_peak(smile: npt.NDArray[np.uint8]) -> None:
    clip = record(png(smile), frame="peak", settings=FEW).cut().whole
    assert not clip.lacks_peak
    assert clip.faces is not None
    assert clip.faces.count == 1
