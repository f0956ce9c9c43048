"""Audio files: clips of sound alone, whose frame is a black picture."""

import io
import wave
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition

from devtools.media import Recipe, make_clip, picture, tone
from emotion_llama_vllm.media.clip import SAMPLING_RATE
from emotion_llama_vllm.media.decode.first_frame import decode
from emotion_llama_vllm.media.decode.timeline import Timeline, record
from emotion_llama_vllm.media.errors import FrameTimeError, MediaError
from emotion_llama_vllm.settings import MediaSettings

SETTINGS = MediaSettings(max_audio_seconds=120)
FORMS = {
    "wav": Recipe("wav", None, "pcm_s16le"),
    "mp3": Recipe("mp3", None, "libmp3lame"),
    "m4a": Recipe("ipod", None, "aac"),
    "ogg": Recipe("ogg", None, "libopus"),
    "flac": Recipe("flac", None, "flac"),
    "webm": Recipe("webm", None, "libopus"),
    "webm, recorded live": Recipe("webm", None, "libopus", live=True),
    "wav, written into a pipe": Recipe("wav", None, "pcm_s16le", live=True),
    "mp4 without a picture": Recipe(video=None),
}


@pytest.mark.parametrize("name", FORMS)
def test_an_audio_file_is_a_clip_with_a_black_frame_and_its_whole_sound(name: str) -> None:
    clip = decode(make_clip(FORMS[name]), size=28, settings=SETTINGS)
    assert clip.frame.shape == (28, 28, 3)
    assert not clip.frame.any()
    assert not clip.has_picture
    assert clip.video_track is None
    assert clip.waveform is not None
    assert 0.99 <= clip.audio_seconds <= 1.1
    assert np.sqrt((clip.waveform**2).mean()) == pytest.approx(0.21, abs=0.03)


def test_the_sound_begins_with_its_first_sample() -> None:
    recipe = Recipe("wav", None, "pcm_s16le", rate=SAMPLING_RATE, layout="mono")
    clip = decode(make_clip(recipe), settings=SETTINGS)
    assert clip.waveform is not None
    expected = tone(recipe.seconds, SAMPLING_RATE, 1, recipe.hertz)[0]
    np.testing.assert_allclose(clip.waveform, expected, atol=1 / 32768)


def test_a_frame_that_keeps_its_size_is_black_too() -> None:
    assert decode(make_clip(FORMS["wav"]), settings=SETTINGS).frame.max() == 0


@pytest.mark.parametrize(
    ("form", "codec"), [("mp3", "libmp3lame"), ("mp4", "aac"), ("flac", "flac")]
)
@pytest.mark.parametrize("cover", ["mjpeg", "png"])
def test_a_cover_is_no_picture_of_a_person(form: str, codec: str, cover: str) -> None:
    clip = decode(with_cover(form, codec, cover), settings=SETTINGS)
    assert not clip.frame.any()
    assert not clip.has_picture
    assert clip.audio_seconds == pytest.approx(1, abs=0.1)


def with_cover(form: str, codec: str, cover: str) -> bytes:
    sink: Any = io.BytesIO()
    with av.open(sink, "w", format=form) as out:
        sound: Any = out.add_stream(codec, rate=48_000, layout="mono")
        image: Any = out.add_stream(cover)
        image.width, image.height = 64, 48
        image.pix_fmt = "yuvj420p" if cover == "mjpeg" else "rgb24"
        image.disposition = Disposition.attached_pic
        out.mux([*image.encode(_cover(image)), *image.encode(None)])
        out.mux([*sound.encode(_sound()), *sound.encode(None)])
    return sink.getvalue()


def _cover(stream: Any) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(picture(64, 48), format="rgb24")
    return frame.reformat(format=stream.pix_fmt)


def _sound() -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(tone(1, 48_000, 1, 440), "fltp", "mono")
    frame.sample_rate = 48_000
    return frame


def cut(data: bytes, **asked: Any) -> Timeline:
    return record(data, settings=SETTINGS, **asked).cut()


def test_windows_of_sound_alone_cover_all_of_it() -> None:
    data = make_clip(Recipe("flac", None, "flac", seconds=3))
    timeline = cut(data, window=1, step=1)
    assert [(window.start, window.end) for window in timeline.windows] == [(0, 1), (1, 2), (2, 3)]
    assert timeline.seconds == pytest.approx(3)
    for window in timeline.windows:
        assert window.clip.audio_seconds == pytest.approx(1)
        assert not window.clip.frame.any()
        assert not window.clip.has_picture


def test_the_middle_frame_is_the_same_and_there_is_none_at_a_time() -> None:
    data = make_clip(FORMS["wav"])
    assert cut(data, frame="middle").whole.frame_index == 0
    assert cut(data, frame=0.0).whole.frame_index == 0
    with pytest.raises(FrameTimeError, match="sound alone"):
        record(data, frame=0.5, settings=SETTINGS)


def wav_of(samples: int) -> bytes:
    sink = io.BytesIO()
    with wave.open(sink, "wb") as out:
        out.setparams((1, 2, SAMPLING_RATE, 0, "NONE", ""))
        out.writeframes(bytes(2 * samples))
    return sink.getvalue()


def _half(data: bytes) -> bytes:
    return data[: len(data) // 2]


REFUSED = {
    "cut-off wav": (make_clip(FORMS["wav"])[:-9000], "cut off"),
    "cut-off flac": (_half(make_clip(Recipe("flac", None, "flac", seconds=4))), "damaged"),
    "cut-off m4a": (make_clip(FORMS["m4a"])[:-9000], "no video that can be read|cut off"),
    "wav of a rare codec": (make_clip(Recipe("wav", None, "adpcm_swf", rate=44_100)), "codec"),
    "aiff": (make_clip(Recipe("aiff", None, "pcm_s16be")), "no video that can be read"),
    "a wav without samples": (wav_of(0), "neither a picture nor a sound"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_sound_is_refused_with_a_reason(name: str) -> None:
    data, reason = REFUSED[name]
    with pytest.raises(MediaError, match=reason):
        decode(data, settings=SETTINGS)


def test_a_picture_that_cannot_be_decoded_stays_an_error_beside_a_good_sound() -> None:
    data = make_clip(Recipe("avi", "huffyuv", "pcm_s16le", pixels="yuv422p"))
    with pytest.raises(MediaError, match="codec that is not supported"):
        decode(data, settings=SETTINGS)


def test_an_mp3_whose_length_ffmpeg_guesses_wrongly_is_taken() -> None:
    data = _begins_with_silence(seconds=10)
    with av.open(io.BytesIO(data), "r") as container:
        assert container.duration is not None
        assert container.duration > 15_000_000
    clip = decode(data, settings=MediaSettings(max_audio_seconds=15, max_timeline_seconds=15))
    assert clip.audio_seconds == pytest.approx(10, abs=0.1)


def _begins_with_silence(seconds: int) -> bytes:
    """Return an MP3 of a varying bit rate without the header that tells its length."""
    samples = np.random.default_rng(0).normal(0, 0.3, 44_100 * seconds).astype(np.float32)
    samples[: len(samples) // 2] = 0
    sink: Any = io.BytesIO()
    bare = {"write_xing": "0", "id3v2_version": "0"}
    with av.open(sink, "w", format="mp3", options=bare) as out:
        stream = out.add_stream("libmp3lame", rate=44_100, layout="mono")
        stream.codec_context.options = {"flags": "+qscale", "global_quality": "0"}
        frame = av.AudioFrame.from_ndarray(samples[None], "fltp", "mono")
        frame.sample_rate = 44_100
        out.mux([*stream.encode(frame), *stream.encode(None)])
    return sink.getvalue()


def test_a_long_sound_alone_is_refused_with_both_numbers() -> None:
    with pytest.raises(MediaError, match=r"lasts 1\.\d s; at most 0\.5 s"):
        decode(make_clip(FORMS["mp3"]), settings=MediaSettings(max_audio_seconds=0.5))
