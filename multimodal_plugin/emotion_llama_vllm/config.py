"""Defines the checkpoint's configuration: every size of the model and nothing else."""

from typing import Any, cast

from transformers import HubertConfig, LlamaConfig
from transformers.configuration_utils import PreTrainedConfig

from emotion_llama_vllm.media.decode.npz import CROP, FEATURE_NAMES

FACE_PATCH = 16
"""The side of a face encoder's patches, in pixels of the enlarged crop."""
FACE_PATCHES = (2 * CROP // FACE_PATCH) ** 2


class EvaVisionConfig(PreTrainedConfig):
    """Configures EVA-ViT (`eva_vit.py` of the original); the defaults are EVA-ViT-g at 448 pixels.

    `image_size` and `patch_size` are sides in pixels. `image_mean` and `image_std` normalise RGB
    values in 0..1. `layer_norm_eps` applies to the blocks, `ln_vision_eps` to the layer norm after
    the last block.
    """

    model_type = "emotion_llama_eva"
    base_config_key = "vision_config"

    image_size: int = 448
    patch_size: int = 14
    hidden_size: int = 1408
    num_hidden_layers: int = 39
    num_attention_heads: int = 16
    intermediate_size: int = 6144
    layer_norm_eps: float = 1e-6
    ln_vision_eps: float = 1e-5
    image_mean: tuple[float, ...] | list[float] = (0.48145466, 0.4578275, 0.40821073)
    image_std: tuple[float, ...] | list[float] = (0.26862954, 0.26130258, 0.27577711)

    @property
    def num_patches(self) -> int:
        return (self.image_size // self.patch_size) ** 2


class FaceEncoderConfig(PreTrainedConfig):
    """Configures FaceMAE or VideoMAE, which encode face crops; the defaults are ViT-L's."""

    model_type = "emotion_llama_face"

    hidden_size: int = 1024
    num_hidden_layers: int = 24
    num_attention_heads: int = 16
    intermediate_size: int = 4096
    layer_norm_eps: float = 1e-6


class EmotionLlamaConfig(PreTrainedConfig):
    """Configures Emotion-LLaMA: a Llama that reads a frame, its sound and three feature vectors.

    `patches_per_embedding` consecutive patches make one image embedding. `video_token_id` stands
    for a clip in the prompt. It is inside the vocabulary (`<unk>`), because with an id outside it
    one request could end the engine. `face_mae_config` and `video_mae_config` are None where the
    checkpoint does not have that encoder.
    """

    model_type = "emotion_llama"
    sub_configs = {  # noqa: RUF012  (transformers declares it so)
        "text_config": LlamaConfig,
        "vision_config": EvaVisionConfig,
        "audio_config": HubertConfig,
        "face_mae_config": FaceEncoderConfig,
        "video_mae_config": FaceEncoderConfig,
    }

    text_config: dict | PreTrainedConfig | None = None
    vision_config: dict | PreTrainedConfig | None = None
    audio_config: dict | PreTrainedConfig | None = None
    face_mae_config: dict | PreTrainedConfig | None = None
    video_mae_config: dict | PreTrainedConfig | None = None
    patches_per_embedding: int = 4
    video_token_id: int = 0
    tie_word_embeddings: bool = False

    def __post_init__(self, **kwargs: Any) -> None:
        for name, config_class in self.sub_configs.items():
            given = getattr(self, name)
            is_absent = given is None and config_class is FaceEncoderConfig
            if not is_absent and not isinstance(given, config_class):
                setattr(self, name, config_class(**(given or {})))
        super().__post_init__(**kwargs)

    @property
    def text(self) -> LlamaConfig:
        return cast(LlamaConfig, self.text_config)

    @property
    def vision(self) -> EvaVisionConfig:
        return cast(EvaVisionConfig, self.vision_config)

    @property
    def audio(self) -> HubertConfig:
        return cast(HubertConfig, self.audio_config)

    @property
    def face_mae(self) -> FaceEncoderConfig | None:
        return cast(FaceEncoderConfig | None, self.face_mae_config)

    @property
    def video_mae(self) -> FaceEncoderConfig | None:
        return cast(FaceEncoderConfig | None, self.video_mae_config)

    @property
    def is_quantized(self) -> bool:
        """Return whether the Llama's linear layers are stored quantized, in whatever format."""
        return getattr(self, "quantization_config", None) is not None

    @property
    def face_rows(self) -> list[int]:
        """Return the feature rows that the network computes from face crops, none without them."""
        return [row for row, encoder in enumerate((self.face_mae, self.video_mae)) if encoder]

    @property
    def feature_size(self) -> int:
        """Return the width of a feature row: HuBERT's, as its mean is one of the rows."""
        return self.audio.hidden_size

    @property
    def embeddings_per_clip(self) -> int:
        """Return the number of embeddings for one clip (260 at full size).

        They are the image embeddings, one for each feature row, and one for the CLS token.
        """
        image = self.vision.num_patches // self.patches_per_embedding
        return image + len(FEATURE_NAMES) + 1
