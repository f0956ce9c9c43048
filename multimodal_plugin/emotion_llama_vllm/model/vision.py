"""Encodes uint8 pixels with EVA-ViT into the normalised tokens that the projections read.

Source: `eva_vit.py` and `minigpt_v2.py:encode_img` of the original, with vLLM's parallel layers.
"""

from collections.abc import Iterable

import torch
from torch import nn
from vllm.distributed import divide, get_tensor_model_parallel_world_size
from vllm.model_executor.layers.attention import MMEncoderAttention
from vllm.model_executor.layers.linear import (
    ColumnParallelLinear,
    QKVParallelLinear,
    RowParallelLinear,
)
from vllm.model_executor.layers.quantization import QuantizationConfig
from vllm.model_executor.models.utils import AutoWeightsLoader, WeightsMapper

from emotion_llama_vllm.config import EvaVisionConfig


class EvaVisionTransformer(nn.Module):
    """Implements EVA-ViT: absolute positions, pre-norm blocks, no final norm, then `ln_vision`."""

    # The file has separate biases for q and v, and none for k.
    hf_to_vllm_mapper = WeightsMapper(
        orig_to_new_stacked={
            ".attn.q_bias": (".attn.qkv.bias", "q"),
            ".attn.v_bias": (".attn.qkv.bias", "v"),
        },
    )

    def __init__(
        self,
        config: EvaVisionConfig,
        quant_config: QuantizationConfig | None = None,
        prefix: str = "",
    ) -> None:
        super().__init__()
        width = config.hidden_size
        self.patch_embed = PatchEmbedding(config)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, config.num_patches + 1, width))
        self.blocks = nn.ModuleList(
            EvaBlock(config, quant_config, prefix=f"{prefix}.blocks.{index}")
            for index in range(config.num_hidden_layers)
        )
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
        return AutoWeightsLoader(self).load_weights(weights, mapper=self.hf_to_vllm_mapper)


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


class EvaBlock(nn.Module):
    """Computes `x + attn(norm1(x))`, then `x + mlp(norm2(x))`."""

    def __init__(
        self, config: EvaVisionConfig, quant_config: QuantizationConfig | None, prefix: str
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.attn = EvaAttention(config, quant_config, prefix=f"{prefix}.attn")
        self.norm2 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.mlp = EvaMlp(config, quant_config, prefix=f"{prefix}.mlp")

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        hidden = hidden + self.attn(self.norm1(hidden))
        return hidden + self.mlp(self.norm2(hidden))


class EvaAttention(nn.Module):
    """Computes full attention with biases for q and v, and none for k."""

    def __init__(
        self, config: EvaVisionConfig, quant_config: QuantizationConfig | None, prefix: str
    ) -> None:
        super().__init__()
        width, heads = config.hidden_size, config.num_attention_heads
        head_size = divide(width, heads)
        self.qkv = QKVParallelLinear(
            width, head_size, heads, bias=True, quant_config=quant_config, prefix=f"{prefix}.qkv"
        )
        nn.init.zeros_(self.qkv.bias)  # k keeps it, because no file has a bias for k
        self.proj = RowParallelLinear(
            width, width, quant_config=quant_config, prefix=f"{prefix}.proj"
        )
        self.attn = MMEncoderAttention(
            divide(heads, get_tensor_model_parallel_world_size()),
            head_size,
            head_size**-0.5,
            prefix=f"{prefix}.attn",
        )

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        qkv, _ = self.qkv(hidden)
        query, key, value = qkv.chunk(3, dim=-1)
        output, _ = self.proj(self.attn(query, key, value))
        return output


class EvaMlp(nn.Module):
    """Computes two linear layers with the exact (erf) GELU between them."""

    def __init__(
        self, config: EvaVisionConfig, quant_config: QuantizationConfig | None, prefix: str
    ) -> None:
        super().__init__()
        self.fc1 = ColumnParallelLinear(
            config.hidden_size,
            config.intermediate_size,
            quant_config=quant_config,
            prefix=f"{prefix}.fc1",
        )
        self.fc2 = RowParallelLinear(
            config.intermediate_size,
            config.hidden_size,
            quant_config=quant_config,
            prefix=f"{prefix}.fc2",
        )

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        hidden, _ = self.fc1(hidden)
        hidden, _ = self.fc2(nn.functional.gelu(hidden))
        return hidden
