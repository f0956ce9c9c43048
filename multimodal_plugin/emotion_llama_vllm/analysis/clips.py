"""Chooses the decoding job for a request's clip and cuts the result into windows."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

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
    request: EmotionRequest, *, reads: int = 1, size: int | None = None, settings: MediaSettings
) -> Callable[[bytes], Clip | Recording]:
    """Return the job that decodes the bytes of the request's clip.

    A request without special wishes gets the job of chat completions, so that both share a decoded
    clip. Requests for the same windows share one too, unless the number of their labels limits the
    number of windows.

    Args:
        request: selects the frame and the windows.
        reads: the number of model reads for each window.
        size: side in pixels to which frames are resized.
        settings: the limits.
    """
    windows = request.timeline
    # Without a track the job equals that of chat, so both find the same cached clip.
    track = {} if request.audio_track is None else {"audio_track": request.audio_track}
    if request.frame == "first" and windows is None:
        return partial(decode, size=size, settings=settings, **track)
    return partial(
        record,
        frame=request.frame,
        window=windows.window if windows else None,
        step=windows.step if windows else None,
        reads=reads if windows and reads * MAX_WINDOWS > MAX_READS else 1,
        size=size,
        settings=settings,
        **track,
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
