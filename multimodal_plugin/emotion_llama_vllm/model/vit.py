"""Implements the blocks that the three ViTs share, in vLLM's parallel layers."""

import torch
from torch import nn
from vllm.distributed import divide, get_tensor_model_parallel_world_size
from vllm.model_executor.layers.attention import MMEncoderAttention
from vllm.model_executor.layers.linear import (
    ColumnParallelLinear,
    QKVParallelLinear,
    RowParallelLinear,
)
from vllm.model_executor.models.utils import WeightsMapper

from emotion_llama_vllm.config import EvaVisionConfig, FaceEncoderConfig

ViTConfig = EvaVisionConfig | FaceEncoderConfig

SEPARATE_BIASES = WeightsMapper(
    orig_to_new_stacked={
        ".attn.q_bias": (".attn.qkv.bias", "q"),
        ".attn.v_bias": (".attn.qkv.bias", "v"),
    },
)
"""Maps the names of a file with separate biases for q and v, and none for k."""


def blocks(config: ViTConfig, prefix: str) -> nn.ModuleList:
    """Return the blocks of a ViT; `prefix` is the ViT's name in the network.

    They are never quantized, because their error would be in all that is said about a clip.
    """
    return nn.ModuleList(
        Block(config, prefix=f"{prefix}.blocks.{index}")
        for index in range(config.num_hidden_layers)
    )


class Block(nn.Module):
    """Computes `x + attn(norm1(x))`, then `x + mlp(norm2(x))`."""

    def __init__(self, config: ViTConfig, prefix: str) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.attn = Attention(config, prefix=f"{prefix}.attn")
        self.norm2 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.mlp = Mlp(config, prefix=f"{prefix}.mlp")

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        hidden = hidden + self.attn(self.norm1(hidden))
        return hidden + self.mlp(self.norm2(hidden))


class Attention(nn.Module):
    """Computes full attention; the bias of k is zero unless the file has one."""

    def __init__(self, config: ViTConfig, prefix: str) -> None:
        super().__init__()
        width, heads = config.hidden_size, config.num_attention_heads
        head_size = divide(width, heads)
        self.qkv = QKVParallelLinear(width, head_size, heads, bias=True, prefix=f"{prefix}.qkv")
        nn.init.zeros_(self.qkv.bias)  # EVA and VideoMAE have no bias for k, so it keeps this
        self.proj = RowParallelLinear(width, width, prefix=f"{prefix}.proj")
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


class Mlp(nn.Module):
    """Computes two linear layers with the exact (erf) GELU between them."""

    def __init__(self, config: ViTConfig, prefix: str) -> None:
        super().__init__()
        self.fc1 = ColumnParallelLinear(
            config.hidden_size,
            config.intermediate_size,
            prefix=f"{prefix}.fc1",
        )
        self.fc2 = RowParallelLinear(
            config.intermediate_size,
            config.hidden_size,
            prefix=f"{prefix}.fc2",
        )

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        hidden, _ = self.fc1(hidden)
        hidden, _ = self.fc2(nn.functional.gelu(hidden))
        return hidden
