"""Lets vLLM decode clips with our `decode`, by vLLM's video loader registry.

A checkpoint selects it by `video_processor_type` in its `preprocessor_config.json`.
"""

from typing import Any

import numpy.typing as npt
from vllm.multimodal.video import VIDEO_LOADER_REGISTRY, VideoLoader

from emotion_llama_vllm import VIDEO_PROCESSOR_TYPE
from emotion_llama_vllm.media.decode.first_frame import decode
from emotion_llama_vllm.media.errors import MediaError
from emotion_llama_vllm.settings import media_settings

NAME = "emotion_llama"


@VIDEO_LOADER_REGISTRY.register(NAME, video_processor=VIDEO_PROCESSOR_TYPE)
class EmotionLlamaVideoLoader(VideoLoader):
    """Decodes one frame and the sound of a clip."""

    @classmethod
    def load_bytes(cls, data: bytes, **kwargs: Any) -> tuple[npt.NDArray, dict[str, Any]]:
        """Return the frame as uint8 [1, height, width, 3] and the clip's metadata.

        Raises:
            UnusableClip: the bytes are not a usable clip.
        """
        from emotion_llama_vllm.hooks.connector import UnusableClip

        try:
            clip = decode(data, settings=media_settings())
        except MediaError as error:
            raise UnusableClip(error) from error
        return clip.frame[None], clip.metadata()
