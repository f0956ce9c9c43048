"""The clip of a request, as the request wants it looked at."""

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
    """Return what is to be done with the clip's bytes.

    Where nothing special is asked for it is what chat completions do, so that they share a clip.
    So do requests for the same windows, unless their labels limit how many there may be.

    Args:
        request: says which frame, and which windows.
        reads: how often the model is read for each window.
        size: side in pixels to which frames are resized.
        settings: the limits.
    """
    windows = request.timeline
    # A job that says nothing of a track is the job of chat.
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
    """Cut what was decoded; given features are of the clip as a whole.

    Raises:
        MediaError: the clip brings features of its own.
        FeaturesError: the request's are none.
    """
    timeline = decoded.cut() if isinstance(decoded, Recording) else Timeline(decoded, ())
    if timeline.whole.features is not None:
        raise MediaError(npz.ONLY_FOR_CHAT)
    if request.features is None:
        return timeline
    rows = npz.read_base64(request.features, feature_size)
    return replace(timeline, whole=replace(timeline.whole, features=rows))
