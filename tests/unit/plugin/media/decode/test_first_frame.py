"""Decoding: the frame against OpenCV, the sound against what was put in, every refusal."""

import io
import pickle
from dataclasses import replace
from pathlib import Path

import av
import cv2
import numpy as np
import psutil
import pytest
from PIL import Image

from devtools.media import Recipe, make_clip, picture, tone
from emotion_llama_vllm.media.clip import SAMPLING_RATE
from emotion_llama_vllm.media.decode.first_frame import decode
from emotion_llama_vllm.media.decode.picture.pixels import to_rgb
from emotion_llama_vllm.media.decode.timeline import record
from emotion_llama_vllm.media.errors import MediaError
from emotion_llama_vllm.settings import MediaSettings

SETTINGS = MediaSettings(max_audio_seconds=120)

RECIPES = {
    "mp4": Recipe(),
    "mov": Recipe(container="mov"),
    "mkv": Recipe(container="matroska"),
    "avi, mpeg4 and mp3": Recipe(container="avi", video="mpeg4", audio="libmp3lame"),
    "avi, odd size": Recipe(
        container="avi", video="mpeg4", audio="pcm_s16le", width=159, height=121
    ),
    "avi, mjpeg": Recipe(container="avi", video="mjpeg", audio="pcm_s16le", pixels="yuvj420p"),
    "webm": Recipe(container="webm", video="libvpx", audio="libopus"),
    "webm, recorded live": Recipe(container="webm", video="libvpx", audio="libopus", live=True),
    "ten bits": Recipe(container="matroska", pixels="yuv420p10le"),
    "turned 90": Recipe(rotation=90),
    "turned 180": Recipe(rotation=180),
    "turned 270": Recipe(rotation=270),
    "mono 44.1 kHz": Recipe(rate=44_100, layout="mono"),
    "five point one": Recipe(layout="5.1"),
}


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.costly
def test_first_frame_equals_opencvs(name: str, tmp_path: Path) -> None:
    data = make_clip(RECIPES[name])
    path = tmp_path / "clip"
    path.write_bytes(data)
    read, bgr = cv2.VideoCapture(str(path)).read()
    assert read
    np.testing.assert_array_equal(decode(data, settings=SETTINGS).frame, bgr[..., ::-1])


@pytest.mark.parametrize("name", RECIPES)
def test_sound_is_what_was_put_in(name: str) -> None:
    recipe = RECIPES[name]
    clip = decode(make_clip(recipe), settings=SETTINGS)
    assert clip.waveform is not None
    assert clip.waveform.dtype == np.float32
    # Encoders add a frame at most at either end.
    assert recipe.seconds - 0.01 <= clip.audio_seconds <= recipe.seconds + 0.1
    channels = {"mono": 1, "stereo": 2, "5.1": 6}[recipe.layout]
    expected = tone(recipe.seconds, SAMPLING_RATE, channels, recipe.hertz).mean(axis=0)
    heard = clip.waveform
    # The spectra agree, wherever the encoder let the sound start.
    assert abs(_loudest(heard) - _loudest(expected)) < 2
    assert np.sqrt((heard**2).mean()) == pytest.approx(np.sqrt((expected**2).mean()), rel=0.1)


def _loudest(wave: np.ndarray) -> float:
    spectrum = np.abs(np.fft.rfft(wave))
    return float(np.argmax(spectrum) * SAMPLING_RATE / len(wave))


def test_lossless_sound_keeps_every_sample() -> None:
    recipe = Recipe(
        container="avi", video="mpeg4", audio="pcm_s16le", rate=SAMPLING_RATE, layout="mono"
    )
    clip = decode(make_clip(recipe), settings=SETTINGS)
    assert clip.waveform is not None
    expected = tone(recipe.seconds, SAMPLING_RATE, 1, recipe.hertz)[0]
    np.testing.assert_allclose(clip.waveform, expected, atol=1 / 32768)


def test_a_clip_without_a_sound_track_is_legal_and_says_so() -> None:
    clip = decode(make_clip(Recipe(audio=None)), settings=SETTINGS)
    assert clip.waveform is None
    assert clip.metadata()["has_audio"] is False
    assert "waveform" not in clip.metadata()


def test_two_reads_of_a_clip_agree_in_everything() -> None:
    data = make_clip()
    first, second = decode(data, settings=SETTINGS), decode(data, settings=SETTINGS)
    np.testing.assert_array_equal(first.frame, second.frame)
    assert pickle.dumps(first.metadata()) == pickle.dumps(second.metadata())


def test_decode_and_what_it_returns_or_raises_can_cross_a_process() -> None:
    assert pickle.loads(pickle.dumps(decode)) is decode
    clip = decode(make_clip(), settings=SETTINGS)
    assert pickle.loads(pickle.dumps(clip)).audio_seconds == clip.audio_seconds
    with pytest.raises(MediaError) as caught:
        decode(b"", settings=SETTINGS)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize("image_format", ["PNG", "JPEG"])
def test_a_still_is_a_clip_of_one_frame_without_sound(image_format: str) -> None:
    data = io.BytesIO()
    Image.fromarray(picture(64, 48)).save(data, image_format)
    clip = decode(data.getvalue(), settings=SETTINGS)
    np.testing.assert_array_equal(clip.frame, _by_opencv(data.getvalue()))
    assert clip.waveform is None


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_still_is_turned_upright(orientation: int) -> None:
    data = io.BytesIO()
    exif = Image.Exif()
    exif[0x112] = orientation
    Image.fromarray(picture(64, 48)).save(data, "JPEG", exif=exif)
    clip = decode(data.getvalue(), settings=SETTINGS)
    np.testing.assert_array_equal(clip.frame, _by_opencv(data.getvalue()))


def _by_opencv(data: bytes) -> np.ndarray:
    bgr = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert bgr is not None
    return bgr[..., ::-1]


def test_eight_planar_channels_are_read() -> None:
    # PyAV 18.1 itself ends the process on these.
    clip = decode(make_clip(Recipe(layout="7.1")), settings=SETTINGS)
    assert clip.audio_seconds == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(("first", "second"), [("mono", "5.1"), ("5.1", "mono")])
def test_a_sound_that_changes_its_channels_midway_is_heard_whole(first: str, second: str) -> None:
    clip = make_clip(Recipe("matroska", "mjpeg", "ac3", pixels="yuvj420p", layout=first))
    more = make_clip(Recipe("matroska", None, "ac3", layout=second))
    heard = decode(_with_the_sound_behind(clip, more), settings=SETTINGS).audio_seconds
    assert heard == pytest.approx(1.1 + decode(clip, settings=SETTINGS).audio_seconds, abs=0.01)


def _with_the_sound_behind(clip: bytes, more: bytes) -> bytes:
    """A clip of a second that has more sound behind its own, in the same track."""
    sink = io.BytesIO()
    with av.open(sink, "w", "matroska") as out, av.open(io.BytesIO(clip), "r") as source:
        tracks = {s.type: out.add_stream_from_template(s) for s in source.streams}
        with av.open(io.BytesIO(more), "r") as behind:
            for container, milliseconds in ((source, 0), (behind, 1100)):
                for packet in container.demux():
                    if packet.size and packet.pts is not None:
                        packet.stream = tracks[packet.stream.type]
                        packet.pts = packet.dts = packet.pts + milliseconds
                        out.mux(packet)
    return sink.getvalue()


def _half(data: bytes) -> bytes:
    return data[: len(data) // 2]


REFUSED = {
    "empty": (b"", "empty"),
    "text": (b"this is no video\n" * 100, "no video that can be read"),
    "noise": (np.random.default_rng(0).bytes(5000), "no video that can be read"),
    "truncated": (make_clip()[:3000], "no video that can be read"),
    "cut-off avi": (
        make_clip(RECIPES["avi, mpeg4 and mp3"])[:-3000],
        "cut off",
    ),
    "cut-off mkv": (_half(make_clip(replace(RECIPES["mkv"], seconds=4.0))), "cut off"),
    "damaged png": (b"\x89PNG\r\n\x1a\n" + bytes(50), "damaged"),
    "concat script": (b"ffconcat version 1.0\nfile /etc/passwd\n", "no video that can be read"),
    "playlist": (b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", "no video that can be read"),
    "flash video": (make_clip(Recipe(container="flv", rate=44_100)), "no video that can be read"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_clip_is_refused_with_a_reason(name: str) -> None:
    data, reason = REFUSED[name]
    with pytest.raises(MediaError, match=reason) as caught:
        decode(data, settings=SETTINGS)
    assert caught.value.status == 400


@pytest.mark.parametrize("name", ["mp4", "webm, recorded live"])
@pytest.mark.costly
def test_a_long_sound_is_refused_with_both_numbers(name: str) -> None:
    data = make_clip(replace(RECIPES[name], seconds=3.0))
    with pytest.raises(MediaError, match=r"lasts 3\.\d s; at most 1\.5 s"):
        decode(data, settings=MediaSettings(max_audio_seconds=1.5))


def test_a_damaged_sound_is_an_error_and_not_silence() -> None:
    data = bytearray(make_clip(Recipe(seconds=2.0)))
    with av.open(io.BytesIO(bytes(data)), "r") as container:
        starts = [p.pos for p in container.demux(container.streams.audio[0]) if p.pos]
    middle = starts[len(starts) // 2]
    data[middle : middle + 60] = b"\xff" * 60
    with pytest.raises(MediaError, match="sound is damaged"):
        decode(bytes(data), settings=SETTINGS)


@pytest.mark.costly
def test_a_huge_picture_is_refused_before_it_is_decoded() -> None:
    data = io.BytesIO()
    Image.new("L", (9000, 9000)).save(data, "PNG")
    with pytest.raises(MediaError, match="9000 x 9000"):
        decode(data.getvalue(), settings=SETTINGS)


RARE = {
    "magicyuv": Recipe("avi", "magicyuv", pixels="yuv420p"),
    "jpeg2000": Recipe("matroska", "jpeg2000"),
    "huffyuv": Recipe("avi", "huffyuv", pixels="yuv422p"),
    "ffv1": Recipe("matroska", "ffv1"),
    "prores": Recipe("mov", "prores_ks", pixels="yuv422p10le"),
    "flv": Recipe("avi", "flv1"),
    "tta": Recipe("matroska", audio="tta"),
}


@pytest.mark.parametrize("name", RARE)
def test_a_rare_codec_is_refused_before_its_decoder_runs(name: str) -> None:
    with pytest.raises(MediaError, match="codec that is not supported"):
        decode(make_clip(RARE[name]), settings=SETTINGS)


USUAL_SOUNDS = ["aac", "libmp3lame", "libopus", "flac", "ac3", "pcm_s16le", "eac3", "mp2", "alac"]


@pytest.mark.parametrize("codec", USUAL_SOUNDS)
def test_the_usual_sounds_are_taken(codec: str) -> None:
    clip = decode(make_clip(Recipe("matroska", audio=codec)), settings=SETTINGS)
    assert clip.audio_seconds == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("codec", ["libx265", "libvpx-vp9", "libsvtav1", "mpeg2video"])
@pytest.mark.costly
def test_the_usual_pictures_are_taken(codec: str) -> None:
    recipe = Recipe("matroska", codec, width=176, height=144, frames_per_second=25)
    assert decode(make_clip(recipe), settings=SETTINGS).frame.shape == (144, 176, 3)


def test_hours_of_black_are_refused_by_what_the_file_says() -> None:
    data = make_clip(Recipe(seconds=3, audio=None))
    with pytest.raises(MediaError, match="at most 2 s"):
        decode(data, settings=MediaSettings(max_timeline_seconds=2))


def test_endless_packets_are_not_walked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emotion_llama_vllm.media.decode.container.MAX_PACKETS", 20)
    with pytest.raises(MediaError, match="too many packets"):
        decode(make_clip(Recipe(seconds=3)), settings=SETTINGS)


@pytest.mark.costly
def test_more_frames_than_memory_are_refused() -> None:
    data = make_clip(Recipe(width=640, height=360, seconds=6, audio=None))
    small = MediaSettings().model_copy(update={"decode_memory_mb": 64})
    with pytest.raises(MediaError, match="Take a larger step"):
        record(data, window=0.5, step=0.1, settings=small)
    assert len(record(data, window=0.5, step=0.1, size=64, settings=small).cut().windows) > 50


def test_the_conversion_of_a_frame_starts_no_thread() -> None:
    """Such threads filled the memory of a worker, and a good clip counted as damaged."""
    data = make_clip(Recipe(width=640, height=360, audio=None))
    with av.open(io.BytesIO(data), mode="r") as container:
        frames = list(container.decode(video=0))
    before = psutil.Process().num_threads()
    assert all(to_rgb(frame).shape == (360, 640, 3) for frame in frames)
    assert psutil.Process().num_threads() == before
