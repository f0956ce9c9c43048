"""Connects the encoders, the five projections and vLLM's Llama to Emotion-LLaMA."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import torch
from torch import nn
from vllm.config import VllmConfig
from vllm.model_executor.models.interfaces import SupportsMultiModal, SupportsPP
from vllm.model_executor.models.utils import (
    AutoWeightsLoader,
    init_vllm_registered_model,
    maybe_prefix,
)
from vllm.multimodal import MULTIMODAL_REGISTRY
from vllm.sequence import IntermediateTensors
from vllm.utils.torch_utils import set_default_torch_dtype

from emotion_llama_vllm.config import EmotionLlamaConfig
from emotion_llama_vllm.hooks import activation  # noqa: F401  (the import registers it)
from emotion_llama_vllm.hooks.encoder_threads import encoder_threads
from emotion_llama_vllm.hooks.loading_progress import tell_progress
from emotion_llama_vllm.model.audio import HubertMean
from emotion_llama_vllm.model.faces import FaceMae, VideoMae
from emotion_llama_vllm.model.processing import (
    PLACEHOLDER,
    EmotionLlamaDummyInputsBuilder,
    EmotionLlamaMultiModalProcessor,
    EmotionLlamaProcessingInfo,
)
from emotion_llama_vllm.model.vision import EvaVisionTransformer


@MULTIMODAL_REGISTRY.register_processor(
    EmotionLlamaMultiModalProcessor,
    info=EmotionLlamaProcessingInfo,
    dummy_inputs=EmotionLlamaDummyInputsBuilder,
)
class EmotionLlamaForConditionalGeneration(nn.Module, SupportsMultiModal, SupportsPP):
    """Implements `minigpt_v2.py` of the original in vLLM.

    A clip becomes patches/4 + 4 embeddings, in this order: the image (one for each four consecutive
    patches), FaceMAE, VideoMAE, audio, the CLS token.
    """

    @classmethod
    def get_placeholder_str(cls, modality: str, i: int) -> str | None:
        if modality == "video":
            return PLACEHOLDER
        raise ValueError(f"Emotion-LLaMA takes videos, not {modality}.")

    def __init__(self, *, vllm_config: VllmConfig, prefix: str = "") -> None:
        super().__init__()
        config = cast(EmotionLlamaConfig, vllm_config.model_config.hf_config)
        self.config = config
        hidden_size = config.text.hidden_size
        self.configure_mm_token_handling(config.text.vocab_size, [config.video_token_id])
        with self._mark_tower_model(vllm_config, "video"):
            self.vision_tower = EvaVisionTransformer(
                config.vision, maybe_prefix(prefix, "vision_tower")
            )
            self.audio_tower = HubertMean(config.audio)
            self._add_face_encoders(config, prefix)
            vision_size = config.vision.hidden_size
            self.llama_proj = nn.Linear(vision_size * config.patches_per_embedding, hidden_size)
            self.feats_llama_proj1 = nn.Linear(config.feature_size, hidden_size)
            self.feats_llama_proj2 = nn.Linear(config.feature_size, hidden_size)
            self.feats_llama_proj3 = nn.Linear(config.feature_size, hidden_size)
            self.cls_tk_llama_proj = nn.Linear(vision_size, hidden_size)
        with self._mark_language_model(vllm_config):
            llama = init_vllm_registered_model(
                vllm_config=vllm_config,
                hf_config=config.text,
                prefix=maybe_prefix(prefix, "language_model"),
                architectures=["LlamaForCausalLM"],
            )
            self.language_model = cast(Any, llama)
        self.make_empty_intermediate_tensors = self.language_model.make_empty_intermediate_tensors
        # vLLM's warm-up on CPUs records gradients, which would keep the activations of all its
        # clips.
        self.requires_grad_(False)

    def _add_face_encoders(self, config: EmotionLlamaConfig, prefix: str) -> None:
        self.face_mae = self.video_mae = None
        # The layers take their dtype, and their attention its backend, from the default.
        with set_default_torch_dtype(torch.float32):
            if config.face_mae is not None:
                self.face_mae = FaceMae(config.face_mae, maybe_prefix(prefix, "face_mae"))
            if config.video_mae is not None:
                self.video_mae = VideoMae(config.video_mae, maybe_prefix(prefix, "video_mae"))

    def embed_multimodal(self, **kwargs: object) -> torch.Tensor | list[torch.Tensor]:
        """Encode the clips of a scheduler step together.

        Args (as keywords, from `processing`):
            pixel_values: uint8 [clips, 3, image_size, image_size].
            input_values: float32 [samples] for each clip, normalised.
            features: float32 [clips, 3, feature_size]; a row of NaN is computed here.
            face_crops: uint8 [frames, CROP, CROP, 3] for each clip, with a face encoder only.

        Returns:
            [clips, embeddings_per_clip, hidden_size].
        """
        pixel_values = kwargs.get("pixel_values")
        if pixel_values is None:
            return []
        with encoder_threads():
            patches = self.vision_tower(_stack(pixel_values))
            features = self._complete(_stack(kwargs["features"]), kwargs)
            return self._project(patches, features.to(patches.dtype))

    def _complete(self, features: torch.Tensor, inputs: Mapping[str, object]) -> torch.Tensor:
        """Compute the rows of NaN, each for all clips that miss it."""
        features = features.clone()
        encoders = (
            (self.face_mae, "face_crops"),
            (self.video_mae, "face_crops"),
            (self.audio_tower, "input_values"),
        )
        for row, (encoder, name) in enumerate(encoders):
            if encoder is None:
                continue
            missing = features[:, row].isnan().any(dim=-1).nonzero().flatten().tolist()
            if missing:
                values: Sequence[torch.Tensor] = inputs[name]  # type: ignore[assignment]
                features[missing, row] = encoder([values[clip] for clip in missing])
        return features

    def _project(self, patches: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
        cls_token, patches = patches[:, :1], patches[:, 1:]
        groups = patches.shape[1] // self.config.patches_per_embedding
        rows = features.unbind(dim=1)
        feature_projections = (
            self.feats_llama_proj1,
            self.feats_llama_proj2,
            self.feats_llama_proj3,
        )
        return torch.cat(
            [
                self.llama_proj(patches.reshape(len(patches), groups, -1)),
                *(
                    project(row)[:, None]
                    for project, row in zip(feature_projections, rows, strict=True)
                ),
                self.cls_tk_llama_proj(cls_token),
            ],
            dim=1,
        )

    def forward(
        self,
        input_ids: torch.Tensor | None,
        positions: torch.Tensor,
        intermediate_tensors: IntermediateTensors | None = None,
        inputs_embeds: torch.Tensor | None = None,
        **kwargs: object,
    ) -> torch.Tensor | IntermediateTensors:
        if intermediate_tensors is not None:
            inputs_embeds = None
        return self.language_model.model(
            input_ids, positions, intermediate_tensors, inputs_embeds=inputs_embeds
        )

    def compute_logits(self, hidden_states: torch.Tensor) -> torch.Tensor | None:
        return self.language_model.compute_logits(hidden_states)

    def load_weights(self, weights: Iterable[tuple[str, torch.Tensor]]) -> set[str]:
        return AutoWeightsLoader(self).load_weights(tell_progress(weights, self))


def _stack(values: object) -> torch.Tensor:
    return values if isinstance(values, torch.Tensor) else torch.stack(list(values))  # type: ignore[call-overload]
