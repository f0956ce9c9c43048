"""Frames against FFmpeg: every policy gives the picture that it shows at that time."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from av import Packet

from emotion_llama_vllm.media.clip import Clip
from emotion_llama_vllm.media.decode.first_frame import decode
from emotion_llama_vllm.media.decode.timeline import record
from emotion_llama_vllm.settings import MediaSettings
from tests.support.counted import (
    ShownPicture,
    encode,
    ffmpeg,
    read_number,
    rewrite,
    shown_by_ffmpeg,
)

SETTINGS = MediaSettings()
WINDOW, STEP = 0.5, 0.2

_X264 = ("-c:v", "libx264", "-preset", "veryfast", "-g", 12)
_OPEN = (
    "-c:v",
    "libx264",
    "-x264-params",
    "open-gop=1:keyint=12:min-keyint=12:bframes=3:scenecut=0",
)
_REFRESH = ("-c:v", "libx264", "-x264-params", "intra-refresh=1:keyint=12:bframes=0")
_FEW_KEYS = (
    "-c:v",
    "libx264",
    "-x264-params",
    "keyint=250:min-keyint=250:ref=3",
    "-force_key_frames",
    "1",
)
_X265 = "log-level=none:keyint=12:bframes=3"
_HEVC = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params")
_VP8 = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", 8, "-g", 12, "-b:v", "300k")
_VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", 8, "-g", 12, "-b:v", "300k")
_HIDDEN = ("-auto-alt-ref", 1, "-lag-in-frames", 16)
_AV1 = ("-c:v", "libsvtav1", "-preset", 12, "-g", 12, "-crf", 20)
_MPEG4 = ("-c:v", "mpeg4", "-g", 12, "-q:v", 3)
_MPEG2 = ("-c:v", "mpeg2video", "-g", 12, "-q:v", 3)
_UNEVEN = ("-vf", "select='not(mod(n,3)*lt(n,30))+eq(mod(n,7),1)'", "-fps_mode", "passthrough")
"""Leaves pictures out: the rate varies."""

ENCODED: dict[str, tuple[object, ...]] = {
    "h264.mp4": (*_X264, "-bf", 2),
    "h264.mov": (*_X264, "-bf", 0),
    "h264_fragmented.mp4": (*_X264, "-bf", 2, "-movflags", "frag_keyframe+empty_moov"),
    "h264.mkv": (*_X264, "-bf", 2),
    "h264.avi": (*_X264, "-bf", 0),
    "h264_b.avi": (*_X264, "-bf", 2),
    "h264_uneven.mp4": (*_UNEVEN, *_X264, "-bf", 2),
    "h264_uneven.mkv": (*_UNEVEN, *_X264, "-bf", 2),
    "h264_late.mp4": (*_X264, "-output_ts_offset", 5),
    "h264_late.mkv": (*_X264, "-output_ts_offset", 5),
    "h264_interlaced.mp4": (*_X264, "-flags", "+ildct+ilme"),
    "h264_without_edits.mp4": (*_X264, "-bf", 2, "-use_editlist", 0),
    "open.mkv": _OPEN,
    "open.mp4": _OPEN,
    "refresh.mp4": _REFRESH,
    "refresh.mkv": _REFRESH,
    "few_keys.mkv": _FEW_KEYS,
    "hevc.mp4": (*_HEVC, _X265, "-tag:v", "hvc1"),
    "hevc_open.mkv": (*_HEVC, f"{_X265}:open-gop=1"),
    "hevc_leading.mkv": (*_HEVC, f"{_X265}:open-gop=0:radl=2"),
    "vp8.webm": _VP8,
    "vp8_hidden.webm": ("-c:v", "libvpx", "-g", 30, "-b:v", "300k", *_HIDDEN),
    "vp8_uneven.webm": (*_UNEVEN, *_VP8),
    "vp8_live.webm": (*_VP8, "-live", 1),
    "vp9.webm": _VP9,
    "vp9_hidden.webm": ("-c:v", "libvpx-vp9", "-cpu-used", 4, "-g", 30, "-b:v", "300k", *_HIDDEN),
    "vp9.mp4": _VP9,
    "av1.mp4": _AV1,
    "av1.mkv": _AV1,
    "mpeg4.avi": (*_MPEG4, "-bf", 0),
    "mpeg4_b.avi": (*_MPEG4, "-bf", 2),
    "mpeg4_uneven.avi": (*_UNEVEN, *_MPEG4, "-bf", 2),
    "mpeg4.mp4": (*_MPEG4, "-bf", 2),
    "xvid.avi": ("-c:v", "libxvid", "-g", 12, "-bf", 2, "-q:v", 3),
    "xvid.mkv": ("-c:v", "libxvid", "-g", 12, "-bf", 2, "-q:v", 3),
    "mpeg2.mkv": (*_MPEG2, "-bf", 2),
    "mpeg1.mkv": ("-c:v", "mpeg1video", "-g", 12, "-bf", 2, "-q:v", 3),
    "mjpeg.avi": ("-c:v", "mjpeg", "-q:v", 3),
    "mjpeg.mov": ("-c:v", "mjpeg", "-q:v", 3),
}
"""Names of files and the options with which they are made."""

CUT = {
    "cut_h264.mp4": "h264.mp4",
    "cut_h264.mov": "h264.mp4",
    "cut_h264.mkv": "h264.mp4",
    "cut_uneven.mp4": "h264_uneven.mp4",
    "cut_open.mp4": "open.mkv",
    "cut_open.mkv": "open.mkv",
    "cut_refresh.mp4": "refresh.mp4",
    "cut_hevc.mp4": "hevc.mp4",
    "cut_hevc_open.mp4": "hevc_open.mkv",
    "cut_vp8.webm": "vp8_hidden.webm",
    "cut_vp9.mp4": "vp9.mp4",
    "cut_vp9.webm": "vp9_hidden.webm",
    "cut_av1.mp4": "av1.mp4",
    "cut_mpeg4.mp4": "mpeg4.mp4",
    "cut_mpeg4.avi": "mpeg4_b.avi",
    "cut_mpeg2.mkv": "mpeg2.mkv",
}
"""Files cut out of others without encoding them again."""

JOINED = {
    "joined_h264.mkv": "h264.mkv",
    "joined_open.mkv": "open.mkv",
    "joined_refresh.mkv": "refresh.mkv",
    "joined_hevc.mkv": "hevc_open.mkv",
    "joined_vp8.webm": "vp8.webm",
    "joined_vp9.webm": "vp9.webm",
    "joined_av1.mkv": "av1.mkv",
    "joined_mpeg4.avi": "mpeg4.avi",
    "joined_mpeg4_b.avi": "mpeg4_b.avi",
    "joined_mpeg4.mkv": "mpeg4.mp4",
    "joined_mpeg2.mkv": "mpeg2.mkv",
}
"""Recordings that begin in the middle of a group of pictures."""


def _claim_all(place: int, packet: Packet) -> bool:
    packet.is_keyframe = True
    return True


def _claim_fifth(place: int, packet: Packet) -> bool:
    packet.is_keyframe = place % 5 == 0
    return True


def _claim_none(place: int, packet: Packet) -> bool:
    packet.is_keyframe = place == 0
    return True


REWRITTEN: dict[str, tuple[str, Callable[[int, Packet], bool]]] = {
    "all_keys_h264.mkv": ("h264.mkv", _claim_all),
    "all_keys_few.mkv": ("few_keys.mkv", _claim_all),
    "all_keys_mpeg4.avi": ("mpeg4.avi", _claim_all),
    "all_keys_mpeg2.mkv": ("mpeg2.mkv", _claim_all),
    "all_keys_vp9.webm": ("vp9.webm", _claim_all),
    "fifth_keys_h264.mkv": ("h264.mkv", _claim_fifth),
    "fifth_keys_refresh.mkv": ("refresh.mkv", _claim_fifth),
    "fifth_keys_mpeg4.mp4": ("mpeg4.mp4", _claim_fifth),
    "fifth_keys_hevc.mkv": ("hevc_open.mkv", _claim_fifth),
    "no_keys_h264.mkv": ("h264.mkv", _claim_none),
    "no_keys_vp8.webm": ("vp8.webm", _claim_none),
}
"""Files whose container calls the wrong pictures key frames."""

NAMES = [*ENCODED, *CUT, *JOINED, *REWRITTEN]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a function that makes a file of the corpus, each once."""
    folder = tmp_path_factory.mktemp("corpus")

    def made(name: str) -> Path:
        path = folder / name
        if path.exists():
            return path
        if name in ENCODED:
            return encode(path, *ENCODED[name], rate="30000/1001" if "uneven" in name else "25")
        if name in CUT:
            ffmpeg("-ss", 0.7, "-i", made(CUT[name]), "-t", 1.3, "-c", "copy", path)
        elif name in JOINED:
            drop = ("-bsf:v", "noise=drop='lt(n,7)'")
            ffmpeg("-i", made(JOINED[name]), "-c", "copy", *drop, path)
        else:
            source, change = REWRITTEN[name]
            rewrite(made(source), path, change)
        return path

    return made


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.costly
def test_frames_are_what_ffmpeg_shows(name: str, make: Callable[[str], Path]) -> None:
    path = make(name)
    shown, data = shown_by_ffmpeg(path), path.read_bytes()
    numbers = [picture.number for picture in shown]
    clear = [number for number in numbers if number is not None]
    assert len(clear) > 10
    assert numbers[-len(clear) :] == clear, "only the first pictures may be rubbish"
    _compare(decode(data, settings=SETTINGS), shown, 0)
    _compare(record(data, settings=SETTINGS).cut().whole, shown, 0)
    middle = record(data, frame="middle", settings=SETTINGS).cut().whole
    _compare(middle, shown, len(shown) // 2)
    for seconds in np.linspace(0, shown[-1].seconds, 5):
        asked = float(seconds) + 0.011
        clip = record(data, frame=asked, settings=SETTINGS).cut().whole
        _compare(clip, shown, _at(shown, asked))
        same = record(data, frame=clip.frame_time, settings=SETTINGS).cut().whole
        assert same.frame_index == clip.frame_index
    for policy in ("first", "middle"):
        windows = record(data, frame=policy, window=WINDOW, step=STEP, settings=SETTINGS).cut()
        assert len(windows.windows) > 3
        for window in windows.windows:
            index = _at(shown, window.start)
            if policy == "middle":
                behind = bisect_left(shown, window.end - 1e-4, key=lambda p: p.seconds)
                index += (max(index + 1, behind) - index) // 2
            _compare(window.clip, shown, index)


def _at(shown: Sequence[ShownPicture], seconds: float) -> int:
    """Return the place of the picture that is on the screen at a time."""
    if seconds <= 0:
        return 0
    return max(0, bisect_right(shown, seconds + 1e-4, key=lambda picture: picture.seconds) - 1)


def _compare(clip: Clip, shown: Sequence[ShownPicture], index: int) -> None:
    """Compare a clip's frame with the picture at this place, or with the nearest readable one."""
    before = [place for place in range(index + 1) if shown[place].number is not None]
    after = [place for place in range(index, len(shown)) if shown[place].number is not None]
    expected = before[-1] if before else after[0]
    assert read_number(clip.frame.mean(axis=2).astype(np.uint8)) == shown[expected].number
    assert clip.frame_time == pytest.approx(shown[expected].seconds, abs=2e-3)
    assert clip.frame_index == expected


def test_the_corpus_is_large() -> None:
    assert len(NAMES) >= 40
