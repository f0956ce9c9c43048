"""The clip of a request, as the request wants it looked at."""

from dataclasses import replace

from emotion_llama.schema import EmotionRequest
from emotion_llama_vllm.media import features
from emotion_llama_vllm.media.timeline import Timeline, decode_timeline
from emotion_llama_vllm.settings import media_settings


def decode_request(data: bytes, request: EmotionRequest, feature_size: int) -> Timeline:
    """Decode a clip's pictures and sounds; given features are of the clip as a whole.

    Raises:
        MediaError: no usable clip, or none with this frame, these windows or features.
    """
    windows = request.timeline
    timeline = decode_timeline(
        data,
        frame=request.frame,
        window=windows.window if windows else None,
        step=windows.step if windows else None,
        settings=media_settings(),
    )
    if request.features is None:
        return timeline
    rows = features.read_base64(request.features, feature_size)
    return replace(timeline, whole=replace(timeline.whole, features=rows))
