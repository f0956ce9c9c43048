"""Chooses the decoding job for a request's clip and cuts the result into windows."""

from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from typing import Any

from emotion_llama.schema import EmotionRequest
from emotion_llama_vllm.media.clip import Clip
from emotion_llama_vllm.media.decode import npz
from emotion_llama_vllm.media.decode.first_frame import decode
from emotion_llama_vllm.media.decode.timeline import (
    MAX_READS,
    MAX_WINDOWS,
    Recording,
    Timeline,
    record,
)
from emotion_llama_vllm.media.errors import MediaError
from emotion_llama_vllm.settings import MediaSettings


def decoding(
    request: EmotionRequest,
    *,
    reads: int = 1,
    size: int | None = None,
    face_rows: Collection[int] = (),
    settings: MediaSettings,
) -> Callable[[bytes], Clip | Recording]:
    """Return the job that decodes the bytes of the request's clip.

    A request without special wishes gets the job of chat completions, so that both share a decoded
    clip. Requests for the same windows share one too, unless the number of their labels limits the
    number of windows.

    Args:
        request: selects the frame and the windows.
        reads: the number of model reads for each window.
        size: side in pixels to which frames are resized.
        face_rows: the rows that the checkpoint computes from face crops; the request may give them.
        settings: the limits.

    Raises:
        FeaturesError: the request's features are invalid.
    """
    windows = request.timeline
    if request.features is not None:
        face_rows = npz.missing(npz.read_base64(request.features), face_rows)
    # Without them the job equals that of chat, so both find the same cached clip.
    track = request.audio_track
    more: dict[str, Any] = {} if track is None else {"audio_track": track}
    if face_rows:
        more["face_rows"] = tuple(face_rows)
    if request.frame == "first" and windows is None:
        return partial(decode, size=size, settings=settings, **more)
    return partial(
        record,
        frame=request.frame,
        window=windows.window if windows else None,
        step=windows.step if windows else None,
        reads=reads if windows and reads * MAX_WINDOWS > MAX_READS else 1,
        size=size,
        settings=settings,
        **more,
    )


def cut(decoded: Clip | Recording, request: EmotionRequest, feature_size: int) -> Timeline:
    """Cut the decoded clip into windows; the request's features belong to the whole clip.

    Raises:
        MediaError: the clip contains features of its own.
        FeaturesError: the request's features are invalid.
    """
    timeline = decoded.cut() if isinstance(decoded, Recording) else Timeline(decoded, ())
    if timeline.whole.features is not None:
        raise MediaError(npz.ONLY_FOR_CHAT)
    if request.features is None:
        return timeline
    rows = npz.read_base64(request.features, feature_size)
    return replace(timeline, whole=replace(timeline.whole, features=rows))
