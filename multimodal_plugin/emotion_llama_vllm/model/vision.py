"""Encodes uint8 pixels with EVA-ViT into the normalised tokens that the projections read.

Source: `eva_vit.py` and `minigpt_v2.py:encode_img` of the original, with vLLM's parallel layers.
"""

from collections.abc import Iterable

import torch
from torch import nn
from vllm.model_executor.models.utils import AutoWeightsLoader

from emotion_llama_vllm.config import EvaVisionConfig
from emotion_llama_vllm.model.vit import SEPARATE_BIASES, blocks


class EvaVisionTransformer(nn.Module):
    """Implements EVA-ViT: absolute positions, pre-norm blocks, no final norm, then `ln_vision`."""

    def __init__(self, config: EvaVisionConfig, prefix: str = "") -> None:
        super().__init__()
        width = config.hidden_size
        self.patch_embed = PatchEmbedding(config)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, config.num_patches + 1, width))
        self.blocks = blocks(config, prefix)
        self.ln_vision = nn.LayerNorm(width, eps=config.ln_vision_eps, dtype=torch.float32)

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        """Encode pictures.

        Args:
            pixel_values: RGB uint8 [clips, 3, image_size, image_size].

        Returns:
            The CLS token, then the patches in raster order, in the model's dtype
            [clips, 1 + patches, width].
        """
        patches = self.patch_embed(pixel_values)
        cls_token = self.cls_token.expand(len(patches), -1, -1)
        hidden = torch.cat([cls_token, patches], dim=1) + self.pos_embed
        for block in self.blocks:
            hidden = block(hidden)
        return self.ln_vision(hidden.float()).to(hidden.dtype)

    def load_weights(self, weights: Iterable[tuple[str, torch.Tensor]]) -> set[str]:
        return AutoWeightsLoader(self).load_weights(weights, mapper=SEPARATE_BIASES)


class PatchEmbedding(nn.Module):
    """Normalises pixels as the original's `blip2_image_eval` does, and projects patches."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, config: EvaVisionConfig) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, config.hidden_size, config.patch_size, config.patch_size)
        for name, values in (("mean", config.image_mean), ("std", config.image_std)):
            channels = torch.tensor(values, dtype=torch.float32).view(1, 3, 1, 1)
            self.register_buffer(name, channels, persistent=False)

    def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
        normalised = (pixel_values.float() / 255 - self.mean) / self.std
        return self.proj(normalised.to(self.proj.weight.dtype)).flatten(2).transpose(1, 2)
