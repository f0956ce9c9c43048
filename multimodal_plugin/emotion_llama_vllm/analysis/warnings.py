"""Lists the warnings about a result that is valid but needs care."""

from itertools import pairwise

from emotion_llama.schema import AnalysisWarning, EmotionRequest
from emotion_llama_vllm.analysis import questions
from emotion_llama_vllm.analysis.rows import row_sources
from emotion_llama_vllm.analysis.spelling import unknown_labels
from emotion_llama_vllm.checkpoint.card import Card
from emotion_llama_vllm.checkpoint.served import Served
from emotion_llama_vllm.media.clip import Clip
from emotion_llama_vllm.media.decode.npz import AUDIO_ROW, FEATURE_NAMES
from emotion_llama_vllm.media.decode.timeline import Timeline

_SHORT = 0.1
"""The length in seconds below which a left-out stretch gets no warning."""


def warnings_about(
    request: EmotionRequest, served: Served, timeline: Timeline
) -> list[AnalysisWarning]:
    """Return the warnings about one analysis; those about labels come first."""
    found = [
        *_of_labels(request, served.card),
        *_of_sound(timeline),
        *_of_picture(timeline.whole),
        *_of_crops(timeline.whole, served),
        *_of_faces(timeline),
        *_of_windows(timeline),
    ]
    return [AnalysisWarning(code=code, message=message) for code, message in found]


def _of_labels(request: EmotionRequest, card: Card) -> list[tuple[str, str]]:
    known = ", ".join(card.labels)
    return [
        (
            "unknown_label",
            f"{label!r} is no label of this checkpoint ({known}): "
            "its probability is that of a word which the model was not tuned on.",
        )
        for label in unknown_labels(questions.labels(request, card), card.labels)
    ]


def _of_sound(timeline: Timeline) -> list[tuple[str, str]]:
    whole, windows = timeline.whole, timeline.windows
    if not _is_heard(whole):
        return [("no_sound", "The clip has no sound: the voice could not be heard.")]
    heard = whole.audio_seconds
    end = max((window.start + window.clip.audio_seconds for window in windows), default=0.0)
    if end <= heard + _SHORT:
        return []
    words = (
        f"The sound lasts {end:.1f} s; the answer about the whole clip heard its first "
        f"{heard:.1f} s. The windows heard all of it."
    )
    return [("sound_cut", words)]


def _of_picture(clip: Clip) -> list[tuple[str, str]]:
    if clip.has_picture:
        return []
    words = (
        "The clip is sound alone: the model saw a black picture, which no checkpoint was "
        "trained with."
    )
    return [("no_picture", words)]


def _of_crops(clip: Clip, served: Served) -> list[tuple[str, str]]:
    """Return the warning about crops that the caller sent for nothing."""
    if clip.face_crops is None or (clip.faces is not None and clip.faces.for_rows):
        return []
    sources = row_sources(clip, served.face_rows)
    unused = [name for name in FEATURE_NAMES[:AUDIO_ROW] if sources[name] == "zero"]
    words = f"The checkpoint has no encoder for {' and '.join(unused)}, which the face crops need."
    return [("face_crops_unused", words)] if unused else []


def _of_faces(timeline: Timeline) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    faces, windows = timeline.whole.faces, timeline.windows
    if faces is not None and faces.for_rows and timeline.whole.face_crops is None:
        words = (
            f"No face was found in {faces.looked_at} frames of the clip: the rows that are "
            "computed from the face are zero, which the model has not seen in training."
        )
        found.append(("no_face", words))
    if timeline.whole.lacks_peak or any(window.clip.lacks_peak for window in windows):
        lacking = sum(window.clip.lacks_peak for window in windows)
        where = "the clip" if timeline.whole.lacks_peak else f"{lacking} of {len(windows)} windows"
        words = f"No face was found in {where}, so the middle frame stands in for the peak."
        found.append(("no_peak", words))
    return found


def _of_windows(timeline: Timeline) -> list[tuple[str, str]]:
    windows = sorted(timeline.windows, key=lambda window: window.start)
    if not windows:
        return []
    between = sum(max(0.0, later.start - earlier.end) for earlier, later in pairwise(windows))
    left_out = between + max(0.0, timeline.seconds - windows[-1].end)
    if left_out <= _SHORT:
        return []
    words = f"The step is longer than the window: {left_out:.1f} s of the clip are in no window."
    return [("timeline_gaps", words)]


def _is_heard(clip: Clip) -> bool:
    """Return whether the model received sound, or the features of sound."""
    if clip.waveform is not None:
        return True
    rows = clip.features
    return rows is not None and bool((rows[AUDIO_ROW] == rows[AUDIO_ROW]).all())
