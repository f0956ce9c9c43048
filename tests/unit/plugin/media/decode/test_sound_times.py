"""Sound stands at the times that the file gives, counted from its first picture."""

import math
import struct
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from emotion_llama_vllm.media.clip import SAMPLING_RATE
from emotion_llama_vllm.media.decode.first_frame import decode
from emotion_llama_vllm.media.decode.timeline import record
from emotion_llama_vllm.media.errors import MediaError
from emotion_llama_vllm.settings import MediaSettings
from tests.support.counted import ffmpeg

SETTINGS = MediaSettings()
CLOSE = 0.06
"""Seconds: what is off by less is not moved."""
LOUD = 0.05
_SOUND = {"mp4": "aac", "mov": "alac", "mkv": "aac", "webm": "libopus", "avi": "libmp3lame"}
_PICTURE = {"webm": ("libvpx", "-deadline", "realtime"), "avi": ("mpeg4", "-g", 10)}


def write(path: Path, *bursts: tuple[float, float], seconds: float = 6) -> Path:
    """Write a clip with a tone in each of these stretches."""
    ending = path.suffix[1:]
    loud = "+".join(f"between(t,{start},{end})" for start, end in bursts)
    picture = _PICTURE.get(ending, ("libx264", "-g", 10, "-preset", "veryfast"))
    ffmpeg(
        *("-f", "lavfi", "-i", f"testsrc2=s=64x48:r=10:d={seconds}"),
        *("-f", "lavfi", "-i", f"aevalsrc='0.5*sin(880*PI*t)*min(1,{loud})':s=48000:d={seconds}"),
        *("-c:v", *picture, "-pix_fmt", "yuv420p", "-c:a", _SOUND[ending], path),
    )
    return path


def heard(path: Path) -> list[tuple[float, float]]:
    """Return the stretches in which a clip is loud, in seconds."""
    sound = decode(path.read_bytes(), settings=SETTINGS).waveform
    assert sound is not None
    return loud_stretches(sound)


def loud_stretches(sound: np.ndarray) -> list[tuple[float, float]]:
    """Return where a sound is loud; a pause of less than a tenth of a second is none."""
    places = np.flatnonzero(np.abs(sound) > LOUD) / SAMPLING_RATE
    breaks = np.flatnonzero(np.diff(places) > 0.1)
    starts, ends = np.append(0, breaks + 1), np.append(breaks, len(places) - 1)
    return [(float(places[s]), float(places[e])) for s, e in zip(starts, ends, strict=True)]


def close_to(*stretches: tuple[float, float]) -> list[object]:
    """Compare with `heard`."""
    return [pytest.approx(stretch, abs=CLOSE) for stretch in stretches]


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv", "webm"])
@pytest.mark.parametrize("delay", [0.1, 1.5])
@pytest.mark.costly
def test_a_sound_that_starts_late_is_heard_late(tmp_path: Path, ending: str, delay: float) -> None:
    plain, late = write(tmp_path / f"a.{ending}", (0, 0.5), (2, 3)), tmp_path / f"late.{ending}"
    shifted = ("-itsoffset", delay, "-i", plain, "-map", "0:v", "-map", "1:a", "-c", "copy")
    ffmpeg("-i", plain, *shifted, late)
    assert heard(late) == close_to((delay, 0.5 + delay), (2 + delay, 3 + delay))


@pytest.mark.parametrize("ending", ["mp4", "mkv", "webm"])
@pytest.mark.costly
def test_what_is_said_before_the_first_picture_is_left_out(tmp_path: Path, ending: str) -> None:
    plain, early = write(tmp_path / f"a.{ending}", (0.2, 2), (4, 5)), tmp_path / f"early.{ending}"
    shifted = ("-itsoffset", 1, "-i", plain, "-map", "1:v", "-map", "0:a", "-c", "copy")
    ffmpeg("-i", plain, *shifted, early)
    assert heard(early) == close_to((0, 1), (3, 4))


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_a_cut_without_encoding_keeps_picture_and_sound_together(
    tmp_path: Path, ending: str
) -> None:
    plain, cut = write(tmp_path / "a.mp4", (2, 3)), tmp_path / f"cut.{ending}"
    ffmpeg("-ss", 1.3, "-i", plain, "-c", "copy", cut)
    # Matroska cannot hide pictures: there the clip begins at the key frame before, at 1 s.
    begin = 1.3 if ending == "mp4" else 1.0
    assert heard(cut) == close_to((2 - begin, 3 - begin))


@pytest.mark.parametrize("ending", ["mp4", "mkv", "webm"])
@pytest.mark.costly
def test_missing_packets_are_a_silence_of_their_length(tmp_path: Path, ending: str) -> None:
    plain, holey = write(tmp_path / f"a.{ending}", (0, 6)), tmp_path / f"holey.{ending}"
    drop = "noise=drop='between(pts*tb,2,3)+between(pts*tb,4,4.5)'"
    ffmpeg("-i", plain, "-c", "copy", "-bsf:a", drop, holey)
    assert heard(holey) == close_to((0, 2), (3, 4), (4.5, 6))


def test_overlapping_packets_stand_where_they_say(tmp_path: Path) -> None:
    plain, overlapping = write(tmp_path / "a.mkv", (1, 2), (4, 5)), tmp_path / "overlapping.mkv"
    _move_sound(plain, overlapping, _squeeze)
    assert heard(overlapping) == close_to((1, 2), (3.2, 4.2))


def test_a_clock_that_drifts_is_followed(tmp_path: Path) -> None:
    plain, drifting = write(tmp_path / "a.mkv", (0.5, 1), (5, 5.5)), tmp_path / "drifting.mkv"
    _move_sound(plain, drifting, lambda seconds: seconds * 1.05)
    (first, _), (last, _) = heard(drifting)
    assert first == pytest.approx(0.525, abs=CLOSE)
    assert last == pytest.approx(5.25, abs=CLOSE)


def test_time_stamps_that_are_a_little_off_change_no_sample(tmp_path: Path) -> None:
    plain, shaken = write(tmp_path / "a.mkv", (0, 6)), tmp_path / "shaken.mkv"
    _move_sound(plain, shaken, lambda seconds: seconds + 0.03 * math.sin(9 * seconds))
    before, after = (decode(p.read_bytes(), settings=SETTINGS).waveform for p in (plain, shaken))
    assert before is not None
    assert after is not None
    np.testing.assert_array_equal(before, after)


def test_a_hole_of_days_is_refused_and_takes_no_memory(tmp_path: Path) -> None:
    plain, holey = write(tmp_path / "a.mkv", (0, 6)), tmp_path / "holey.mkv"
    _move_sound(plain, holey, lambda seconds: seconds + (900_000 if seconds > 5 else 0))
    with pytest.raises(MediaError, match="at most"):
        decode(holey.read_bytes(), settings=MediaSettings(max_timeline_seconds=1e9))


def test_windows_hear_what_is_said_in_them(tmp_path: Path) -> None:
    plain, late = write(tmp_path / "a.mp4", (0, 1)), tmp_path / "late.mp4"
    shifted = ("-itsoffset", 3, "-i", plain, "-map", "0:v", "-map", "1:a", "-c", "copy")
    ffmpeg("-i", plain, *shifted, late)
    windows = record(late.read_bytes(), window=1, step=1, settings=SETTINGS).cut().windows
    loudness = [0.0 if w.clip.waveform is None else np.abs(w.clip.waveform).max() for w in windows]
    assert [bool(most > LOUD) for most in loudness[:6]] == [False, False, False, True, False, False]


def _squeeze(seconds: float) -> float:
    """Let packets overlap; their order must stay."""
    if seconds < 2.2:
        return seconds
    return 2.2 + (seconds - 2.2) / 5 if seconds < 3.2 else seconds - 0.8


def _move_sound(source: Path, target: Path, move: Callable[[float], float]) -> None:
    """Copy a clip with other times for its sound."""
    with av.open(str(source)) as container, av.open(str(target), "w") as out:
        copies = {
            stream.index: out.add_stream_from_template(stream) for stream in container.streams
        }
        for packet in container.demux():
            if packet.size == 0:
                continue
            if packet.stream.type == "audio":
                assert packet.pts is not None
                base = float(packet.time_base)
                packet.pts = packet.dts = round(move(packet.pts * base) / base)
            packet.stream = copies[packet.stream_index]
            out.mux(packet)


def _longer(data: bytes, milliseconds: float) -> bytes:
    """Let a WebM claim to be longer than it is."""
    place = data.find(b"\x44\x89\x88") + 3
    (told,) = struct.unpack(">d", data[place : place + 8])
    return data[:place] + struct.pack(">d", told + milliseconds) + data[place + 8 :]


def _without_sizes(data: bytes) -> bytes:
    """Leave the sizes of a WebM's segment and clusters open, as a recorder does that goes on."""
    for name in (b"\x18\x53\x80\x67", b"\x1f\x43\xb6\x75"):
        place = data.find(name)
        while place >= 0:
            length = 9 - data[place + 4].bit_length()
            unknown = ((1 << 7 * length + 1) - 1).to_bytes(length, "big")
            data = data[: place + 4] + unknown + data[place + 4 + length :]
            place = data.find(name, place + 4)
    return data


@pytest.mark.parametrize("milliseconds", [1500, 60_000])
@pytest.mark.costly
def test_a_wrong_duration_in_a_header_is_not_cut_off(tmp_path: Path, milliseconds: float) -> None:
    data = write(tmp_path / "a.webm", (1, 2)).read_bytes()
    clip = decode(_longer(data, milliseconds), settings=SETTINGS)
    assert clip.audio_seconds == pytest.approx(6, abs=0.1)
    assert record(_longer(data, milliseconds), settings=SETTINGS).cut().whole.audio_seconds


@pytest.mark.parametrize("name", ["a.mkv", "a.webm", "a.mp4", "a.mov", "live.webm"])
def test_a_file_that_ends_early_is_cut_off(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, (1, 2))
    if name == "live.webm":
        data = _without_sizes(path.read_bytes())
    elif path.suffix in (".mp4", ".mov"):
        ffmpeg("-i", path, "-c", "copy", "-movflags", "faststart", tmp_path / f"fast{path.suffix}")
        data = (tmp_path / f"fast{path.suffix}").read_bytes()
    else:
        data = path.read_bytes()
    # A lossless packet without its end cannot be decoded either.
    with pytest.raises(MediaError, match=r"cut off|damaged"):
        decode(data[: len(data) * 2 // 3], settings=SETTINGS)


@pytest.mark.parametrize("ending", ["mp4", "mov", "avi"])
@pytest.mark.costly
def test_stereo_in_opposite_phase_is_no_silence(tmp_path: Path, ending: str) -> None:
    plain, opposite = write(tmp_path / f"a.{ending}", (1, 2)), tmp_path / f"opposite.{ending}"
    ffmpeg("-i", plain, "-c:v", "copy", "-af", "pan=stereo|c0=c0|c1=-1*c0", opposite)
    assert heard(opposite) == close_to((1, 2))
    one, both = (decode(p.read_bytes(), settings=SETTINGS).waveform for p in (plain, opposite))
    assert one is not None
    assert both is not None
    assert np.sqrt((both**2).mean()) == pytest.approx(np.sqrt((one**2).mean()), rel=0.1)


def test_narrow_band_speech_of_phones_is_taken(tmp_path: Path) -> None:
    plain, phone = write(tmp_path / "a.mp4", (1, 2)), tmp_path / "phone.3gp"
    ffmpeg("-i", plain, "-c:v", "copy", "-c:a", "libopencore_amrnb", "-ar", 8000, "-ac", 1, phone)
    assert heard(phone) == close_to((1, 2))


def test_wide_band_speech_of_phones_is_taken(tmp_path: Path) -> None:
    # There is no encoder here: a frame is 20 ms, of a header byte and 17 bytes that are noise.
    noise = np.random.default_rng(0)
    frames = [b"\x04" + noise.bytes(17) for _ in range(100)]
    (tmp_path / "a.awb").write_bytes(b"#!AMR-WB\n" + b"".join(frames))
    plain, phone = write(tmp_path / "a.mp4", (1, 2), seconds=2), tmp_path / "phone.3gp"
    tracks = ("-map", "0:v", "-map", "1:a", "-c", "copy")
    ffmpeg("-i", plain, "-i", tmp_path / "a.awb", *tracks, phone)
    sound = decode(phone.read_bytes(), settings=SETTINGS).waveform
    assert sound is not None
    assert len(sound) == 2 * SAMPLING_RATE
    assert np.abs(sound).max() > 0.001
