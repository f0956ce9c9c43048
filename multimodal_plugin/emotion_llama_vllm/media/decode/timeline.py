"""Cuts a clip into windows, each a clip of its own, with one read of the file for all."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from av.container import InputContainer

from emotion_llama_vllm.media.clip import SAMPLING_RATE, Clip, Faces
from emotion_llama_vllm.media.decode import npz
from emotion_llama_vllm.media.decode.container import open_container, packets
from emotion_llama_vllm.media.decode.no_picture import NoPicture, all_frames
from emotion_llama_vllm.media.decode.picture.frames import Frame, FramePolicy, Frames, Mispredicted
from emotion_llama_vllm.media.decode.picture.pixels import resize
from emotion_llama_vllm.media.decode.picture.still import decode_still, is_still
from emotion_llama_vllm.media.decode.sound.track import SoundTrack
from emotion_llama_vllm.media.decode.tracks import Track, check_wanted
from emotion_llama_vllm.media.errors import FrameTimeError, MediaError, TimelineError
from emotion_llama_vllm.media.workers import child
from emotion_llama_vllm.settings import MediaSettings

MAX_WINDOWS = 4000
MAX_READS = 1 << 16
"""The maximum number of model reads for all windows together: enough for labels of one or two
tokens in the maximum number of windows."""
_UNCOVERED = 0.1
"""The seconds at the end of a clip that need no window of their own."""


@dataclass(frozen=True)
class Window:
    """Holds one window of a clip; times are in seconds from the clip's start."""

    start: float
    end: float
    clip: Clip


@dataclass(frozen=True)
class Timeline:
    """Holds the clip as a whole and its windows.

    The whole has at most `max_audio_seconds` of sound, from the start of a longer clip.
    """

    whole: Clip
    windows: Sequence[Window]
    seconds: float = 0.0
    """The length of the whole clip; 0 for a picture, and where no windows were requested."""


@dataclass(frozen=True)
class Recording:
    """Holds the parts of a file that the cut needs, each frame and each sample once.

    A decode worker returns it, and `cut` makes a `Timeline` of it without copying.
    """

    sound: npt.NDArray[np.float32] | None
    frames: dict[int, Frame]
    spans: Sequence[tuple[float, float]]
    """The start and end of the whole clip, then of each window, in seconds."""
    indices: Sequence[int]
    """The index of the frame of each span."""
    max_audio_seconds: float
    video_track: Track | None = None
    audio_track: Track | None = None
    face_crops: npt.NDArray[np.uint8] | None = None
    """The face crops of the whole clip, as in `Clip`; a window has none."""
    faces: Faces | None = None
    """What was seen of faces in the whole clip."""
    lack_peak: Sequence[bool] = ()
    """`Clip.lacks_peak` of each span; empty if no face was sought."""

    @property
    def nbytes(self) -> int:
        pictures = sum(frame.rgb.nbytes for frame in self.frames.values())
        others = (self.sound, self.face_crops)
        return pictures + sum(array.nbytes for array in others if array is not None)

    def cut(self) -> Timeline:
        lacking = self.lack_peak or [False] * len(self.spans)
        clips = [
            replace(self._clip(index, *span), lacks_peak=lacks)
            for index, span, lacks in zip(self.indices, self.spans, lacking, strict=True)
        ]
        windows = [
            Window(*span, clip) for span, clip in zip(self.spans[1:], clips[1:], strict=True)
        ]
        whole = replace(clips[0], face_crops=self.face_crops, faces=self.faces)
        return Timeline(whole, windows, self.spans[0][1])

    def _clip(self, index: int, start: float, end: float) -> Clip:
        frame = self.frames[index]
        heard = _stretch(self.sound, start, min(end, start + self.max_audio_seconds))
        return Clip(
            frame.rgb,
            heard,
            frame_index=frame.index,
            frame_time=frame.seconds,
            video_track=self.video_track,
            audio_track=self.audio_track,
        )


def record(
    source: bytes,
    *,
    frame: FramePolicy = "first",
    window: float | None = None,
    step: float | None = None,
    reads: int = 1,
    size: int | None = None,
    audio_track: int | None = None,
    face_rows: Collection[int] = (),
    settings: MediaSettings,
) -> Recording:
    """Decode a clip with the chosen frame, and its windows if `window` and `step` are given.

    Args:
        source: the bytes, as for `decode`, but no container with feature rows.
        frame: the frame that represents the clip and each window.
        window: the length of each window in seconds; the last one ends with the clip.
        step: the seconds from one window's start to the next one's.
        reads: the number of model reads for each window.
        size: side in pixels to which the frames are resized.
        audio_track: the index of the sound track, as for `decode`.
        face_rows: the feature rows to be computed from face crops, as for `decode`.
        settings: the limits. With windows, only each window must fit into `max_audio_seconds`.

    Raises:
        MediaError: the clip is not usable, or lacks the frame or the windows.
    """
    source, given = _unpack(source, settings)
    wants_crops = bool(face_rows) and given is None
    if not source:
        raise MediaError("The clip is empty: it has no bytes.")
    if is_still(source):
        check_wanted(audio_track, 0)
        made = _still(decode_still(source), frame, size, window is not None, wants_crops)
        return made if given is None else replace(made, face_crops=given)
    if window is not None and window > settings.max_audio_seconds:
        raise TimelineError(
            f"A window of {window:g} s is too long; at most {settings.max_audio_seconds:g} s."
        )
    with open_container(source) as container:
        longest = settings.max_audio_seconds if window is None else settings.max_timeline_seconds
        frames = all_frames(container, size)
        sound = SoundTrack(container, audio_track, max_seconds=longest)
        _walk(container, frames, sound, settings)
        waveform = sound.waveform(frames.zero, source)

        def spans(seconds: float) -> list[tuple[float, float]]:
            whole = (0.0, seconds)
            if window is None or step is None:
                return [whole]
            return [whole, *spread(seconds, window, step, reads)]

        try:
            made = _record(frames, waveform, frame, spans, settings, wants_crops)
        except Mispredicted:
            frames.scan()
            made = _record(frames, waveform, frame, spans, settings, wants_crops)
        made = replace(made, video_track=frames.track, audio_track=sound.track)
        return made if given is None else replace(made, face_crops=given)


def _unpack(source: bytes, settings: MediaSettings) -> tuple[bytes, npt.NDArray[np.uint8] | None]:
    """Return the file and the face crops of a container, or the file itself."""
    if not npz.is_container(source):
        return source, None
    inside = npz.open_container(source, settings)
    if inside.features is not None:
        raise MediaError(npz.ONLY_FOR_CHAT)
    return inside.video, inside.face_crops


def _record(
    frames: Frames | NoPicture,
    waveform: npt.NDArray[np.float32] | None,
    frame: FramePolicy,
    spans_of: Callable[[float], list[tuple[float, float]]],
    settings: MediaSettings,
    wants_crops: bool,
) -> Recording:
    """Cut a clip into the spans for its length, after all its packets were read.

    Raises:
        Mispredicted: `Frames.decode` raised it.
    """
    heard = 0.0 if waveform is None else len(waveform) / SAMPLING_RATE
    spans = spans_of(max(frames.seconds, heard))
    check_room = partial(_check_room, frames=frames, settings=settings)
    longest = settings.max_audio_seconds
    if isinstance(frames, Frames) and (frame == "peak" or wants_crops):
        found = face_finder().find_faces(
            frames, frame, spans, settings, wants_crops=wants_crops, check_room=check_room
        )
        return Recording(
            *(waveform, found.frames, spans, found.indices, longest),
            face_crops=found.crops,
            faces=found.faces,
            lack_peak=found.lack_peak,
        )
    indices = [frames.choose(frame, start, end) for start, end in spans]
    check_room(len(set(indices)))
    lack_peak = [frame == "peak"] * len(spans)  # the peak of sound alone
    return Recording(waveform, frames.decode(indices), spans, indices, longest, lack_peak=lack_peak)


def face_finder() -> Any:
    """Return the module that looks for faces; it is loaded only here, with OpenCV and LiteRT."""
    child.make_room()
    from emotion_llama_vllm.media.decode import faces

    return faces


def spread(seconds: float, window: float, step: float, reads: int = 1) -> list[tuple[float, float]]:
    """Return the starts and ends of the windows that cover a clip; a short clip is one window.

    Raises:
        TimelineError: there are too many windows or model reads.
    """
    if seconds <= window:
        return [(0.0, seconds)]
    count = (seconds - window) / step + 1e-9 + 1
    _check_count(seconds, count, reads)
    spans = [(step * number, step * number + window) for number in range(int(count))]
    if spans[-1][1] < seconds - _UNCOVERED and step <= window:
        spans.append((seconds - window, seconds))
        _check_count(seconds, len(spans), reads)
    return spans


def _check_count(seconds: float, count: float, reads: int) -> None:
    """Raise TimelineError for too many windows; the count may be infinite."""
    words = f"A clip of {seconds:.0f} s would have {min(count, 1e15) // 1:.15g} windows"
    if count >= MAX_WINDOWS + 1:
        raise TimelineError(f"{words}; at most {MAX_WINDOWS}. Take a larger step.")
    most = MAX_READS // reads
    if count >= most + 1:
        raise TimelineError(
            f"{words}, and with these labels each needs {reads} reads of the model; at most "
            f"{MAX_READS} reads are allowed, which are {most} windows. Take a larger step, or "
            "fewer or shorter labels."
        )


def _walk(
    container: InputContainer,
    frames: Frames | NoPicture,
    sound: SoundTrack,
    settings: MediaSettings,
) -> None:
    """Read the file's packets once: decode the sound, keep the packets of the picture."""
    for packet in packets(container, settings.max_timeline_seconds):
        if packet.stream is frames.stream:
            frames.feed(packet)
        elif packet.stream is sound.stream:
            sound.feed(packet)
        sound.see(packet)
    frames.finish()


def _check_room(count: int, frames: Frames | NoPicture, settings: MediaSettings) -> None:
    """Raise TimelineError for more frames than half of a worker's memory can hold."""
    most = int(settings.decode_memory_mb * 2**19 / frames.bytes_per_frame)
    if count > max(most, 1):
        raise TimelineError(
            f"The windows need {count} frames; at most {most} of this size are allowed. "
            "Take a larger step."
        )


def _stretch(
    sound: npt.NDArray[np.float32] | None, start: float, end: float
) -> npt.NDArray[np.float32] | None:
    """Return the sound between two times; None if there is none, as after the sound's end."""
    if sound is None:
        return None
    stretch = sound[round(start * SAMPLING_RATE) : round(end * SAMPLING_RATE)]
    return stretch if len(stretch) else None


def _still(
    rgb: npt.NDArray[np.uint8],
    frame: FramePolicy,
    size: int | None,
    has_windows: bool,
    wants_crops: bool,
) -> Recording:
    """Return the recording of a picture: one frame without sound, and one window if any."""
    if not isinstance(frame, str) and frame > 0:
        raise FrameTimeError("A picture has only the frame at 0 s.")
    spans = [(0.0, 0.0)] * (1 + has_windows)
    frames = {0: Frame(resize(rgb, size), 0, 0.0)}
    made = Recording(None, frames, spans, [0] * len(spans), 0.0)
    if frame != "peak" and not wants_crops:
        return made
    look = face_finder().Look([0] if wants_crops else (), for_peak=frame == "peak")
    look.see(0, rgb)
    lacks_peak = frame == "peak" and look.peak(range(1)) is None
    lacking = [lacks_peak] * len(spans)
    return replace(made, face_crops=look.crops(), faces=look.faces(rgb), lack_peak=lacking)
