"""Looks for the face in the frames of a clip, for its crops and for the peak of its expression."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emotion_llama_vllm.media.clip import Faces
from emotion_llama_vllm.media.decode.npz import CROP
from emotion_llama_vllm.media.decode.picture.frames import Frame, FramePolicy, Frames
from emotion_llama_vllm.media.errors import TimelineError
from emotion_llama_vllm.media.faces import alignment, expression, landmarks
from emotion_llama_vllm.media.faces.detector import Detection, detect
from emotion_llama_vllm.media.faces.expression import Expression
from emotion_llama_vllm.media.faces.region import Region
from emotion_llama_vllm.media.faces.sampling import FEWEST, spread
from emotion_llama_vllm.media.faces.tracker import Tracker
from emotion_llama_vllm.settings import MediaSettings

_MAX_PIXELS = 2**31
"""The pixels of the stretch in which the face is sought, from the start: 1035 frames of 1080p."""
_FEWEST_FOR_PEAK = 3
"""The fewest frames of a window among which a peak means anything."""

Span = tuple[float, float]
Picture = npt.NDArray[np.uint8]


class Look:
    """Looks for one face in the frames of a clip, which come in their order.

    Args:
        crops_of: the indices of the frames whose crops are wanted; one may come several times.
        for_peak: whether expressions are measured.
    """

    def __init__(self, crops_of: Sequence[int], *, for_peak: bool) -> None:
        self._crops_of, self._for_peak = crops_of, for_peak
        self._tracker = Tracker()
        self._crops: dict[int, Picture] = {}
        self._expressions: dict[int, Expression] = {}
        self._looked_at = self._seen = 0

    def see(self, index: int, rgb: Picture) -> None:
        """Look at a frame [height, width, 3]."""
        face = self._tracker.find(rgb)
        self._looked_at += 1
        if face is None:
            return
        self._seen += 1
        if index in self._crops_of:
            self._crops[index] = alignment.crop(rgb, face.points)
        if self._for_peak:
            self._expressions[index] = expression.measure(face.points)

    def peak(self, indices: range) -> int | None:
        """Return the index of the strongest expression among these; None if no face was seen."""
        return expression.peak({i: e for i, e in self._expressions.items() if i in indices})

    def crops(self) -> Picture | None:
        """Return the crops [frames, CROP, CROP, 3], black without a face; None if all are black."""
        if not self._crops:
            return None
        black = np.zeros((CROP, CROP, 3), np.uint8)
        return np.stack([self._crops.get(index, black) for index in self._crops_of])

    def faces(self, frame: Picture) -> Faces:
        """Return what was seen, and the faces of the clip's own frame [height, width, 3]."""
        shown, (height, width) = detect(frame), frame.shape[:2]
        box = _shares(shown[0], width, height) if shown else None
        return Faces(
            for_rows=bool(self._crops_of),
            count=len(shown),
            box=box,
            looked_at=self._looked_at,
            share=self._seen / self._looked_at,
        )


@dataclass(frozen=True)
class Found:
    """Holds the frames of a clip and its windows, and what was found in the clip."""

    indices: Sequence[int]
    """The index of the frame of the clip, then of each window."""
    frames: dict[int, Frame]
    lack_peak: Sequence[bool]
    """Whether the middle frame stands in for a peak, as no frame shows a face: of the clip, then of
    each window."""
    faces: Faces
    crops: Picture | None


def warm_up() -> None:
    """Run each network once on nothing, because its first run takes twice as long."""
    blank = np.zeros((CROP, CROP, 3), np.uint8)
    detect(blank)
    landmarks.find(blank, Region(CROP / 2, CROP / 2, CROP, 0))
    expression.measure(np.zeros((landmarks.COUNT, 2), np.float32))


def find_faces(
    frames: Frames,
    policy: FramePolicy,
    spans: Sequence[Span],
    settings: MediaSettings,
    *,
    wants_crops: bool,
    check_room: Callable[[int], None],
) -> Found:
    """Decode the frames of a clip and its windows, and look for the face on the way.

    Args:
        frames: the frames of the file.
        policy: the choice of the frames.
        spans: the start and end of the whole clip, then of each window, in seconds.
        settings: the limits.
        wants_crops: whether the crops of the face are wanted.
        check_room: raises an error for too many frames.

    Raises:
        TimelineError: there are too many windows.
        FrameTimeError: a time is past the end.
        Mispredicted: `Frames.pictures` raised it.
    """
    at = _crop_frames(frames, spans[0], settings)
    look = Look(at if wants_crops else (), for_peak=policy == "peak")
    if policy == "peak":
        for index, rgb in frames.pictures({*at, *_peak_frames(frames, spans[1:], settings)}):
            look.see(index, rgb)
        peaks = [look.peak(frames.between(*span)) for span in spans]
        at = []
    else:
        peaks = [frames.choose(policy, *span) for span in spans]
    indices = [
        frames.choose("middle", *span) if peak is None else peak
        for peak, span in zip(peaks, spans, strict=True)
    ]
    check_room(len(set(indices)))
    made, faces = _decode(frames, look, at, indices)
    return Found(indices, made, [peak is None for peak in peaks], faces, look.crops())


def _decode(
    frames: Frames, look: Look, at: Collection[int], indices: Sequence[int]
) -> tuple[dict[int, Frame], Faces]:
    """Decode the frames with these indices, and look at others on the way.

    Returns:
        The frames by their indices, and what the first of them shows.
    """
    made: dict[int, Frame] = {}
    shown = np.zeros((1, 1, 3), np.uint8)
    for index, rgb in frames.pictures({*indices, *at}):
        if index in at:
            look.see(index, rgb)
        if index in indices:
            made[index] = frames.resized(index, rgb)
        if index == indices[0]:
            shown = rgb
    return made, look.faces(shown)


def _shares(face: Detection, width: int, height: int) -> tuple[float, float, float, float]:
    """Return a box as shares of the frame, and cut it off at the frame's edges."""
    left, right = np.clip((face.left, face.left + face.width), 0, width) / width
    top, bottom = np.clip((face.top, face.top + face.height), 0, height) / height
    return float(left), float(top), float(right - left), float(bottom - top)


def _crop_frames(frames: Frames, span: Span, settings: MediaSettings) -> list[int]:
    """Return the indices of the frames whose crops stand for a clip, spread over it.

    They come from as many seconds as the sound may have, and from as many frames as can be decoded.
    """
    start, end = span
    stretch = frames.between(start, min(end, start + settings.max_audio_seconds))
    count = min(len(stretch), max(_MAX_PIXELS // frames.pixels, FEWEST))
    return [frames.usable(stretch[index]) for index in spread(count, settings.most_face_frames)]


def _peak_frames(frames: Frames, windows: Sequence[Span], settings: MediaSettings) -> set[int]:
    """Return the indices of the frames among which the peaks of windows are chosen.

    Raises:
        TimelineError: there are too many windows to look at enough frames of each.
    """
    if not windows:
        return set()
    each = min(settings.most_face_frames, settings.max_face_crops // len(windows))
    if each < _FEWEST_FOR_PEAK:
        raise TimelineError(
            f"The peaks of {len(windows)} windows are too many: at most "
            f"{settings.max_face_crops // _FEWEST_FOR_PEAK} are allowed. Take a larger step, or "
            "another frame."
        )
    spread_out = (_evenly(frames.between(*window), each) for window in windows)
    return {frames.usable(index) for window in spread_out for index in window}


def _evenly(indices: range, most: int) -> list[int]:
    """Return at most `most` of the indices, from the middles of equal parts."""
    if len(indices) <= most:
        return list(indices)
    return [indices[len(indices) * (2 * part + 1) // (2 * most)] for part in range(most)]
