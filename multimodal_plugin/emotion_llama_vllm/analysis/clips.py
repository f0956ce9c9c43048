"""The clip of a request, as the request wants it looked at."""

from dataclasses import replace

from emotion_llama.schema import EmotionRequest
from emotion_llama_vllm.media import features
from emotion_llama_vllm.media.timeline import Recording, Timeline, record
from emotion_llama_vllm.settings import MediaSettings


def record_request(
    source: bytes, request: EmotionRequest, *, size: int | None = None, settings: MediaSettings
) -> Recording:
    """Read a clip's pictures and sound; can be pickled, as `decode`.

    Raises:
        MediaError: no usable clip, or none with this frame or these windows.
    """
    windows = request.timeline
    return record(
        source,
        frame=request.frame,
        window=windows.window if windows else None,
        step=windows.step if windows else None,
        size=size,
        settings=settings,
    )


def cut_request(recording: Recording, request: EmotionRequest, feature_size: int) -> Timeline:
    """Cut what was read; given features are of the clip as a whole.

    Raises:
        FeaturesError: they are no features.
    """
    timeline = recording.cut()
    if request.features is None:
        return timeline
    rows = features.read_base64(request.features, feature_size)
    return replace(timeline, whole=replace(timeline.whole, features=rows))
