"""Implements EVA-ViT in plain PyTorch for training, with the original's parameter names."""

import torch
from torch import nn
from torch.nn import functional as F

from emotion_llama_vllm.config import EvaVisionConfig, FaceEncoderConfig


class EvaViT(nn.Module):
    """Implements `eva_vit.py` of the original, and the layer norm after it, which stays fixed."""

    mean: torch.Tensor
    std: torch.Tensor

    def __init__(self, config: EvaVisionConfig) -> None:
        super().__init__()
        width, self._config = config.hidden_size, config
        patch = config.patch_size
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, width, patch, patch)})
        self.cls_token = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        self.pos_embed = nn.Parameter(torch.randn(1, config.num_patches + 1, width) * 0.02)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.num_hidden_layers))
        for name, values in (("mean", config.image_mean), ("std", config.image_std)):
            self.register_buffer(name, torch.tensor(values).view(3, 1, 1), persistent=False)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Encode RGB uint8 [N, 3, size, size] to CLS token and patches, [N, 1 + patches, width]."""
        patches = self.patch_embed["proj"]((pixels.float() / 255 - self.mean) / self.std)
        cls_token = self.cls_token.expand(len(pixels), -1, -1)
        hidden = torch.cat([cls_token, patches.flatten(2).transpose(1, 2)], 1) + self.pos_embed
        for block in self.blocks:
            hidden = block(hidden)
        return F.layer_norm(hidden.float(), hidden.shape[-1:], eps=self._config.ln_vision_eps)


class Block(nn.Module):
    """Computes attention and two layers, each after a norm and added to its input."""

    def __init__(self, config: EvaVisionConfig | FaceEncoderConfig) -> None:
        super().__init__()
        width, inner, eps = config.hidden_size, config.intermediate_size, config.layer_norm_eps
        self.norm1, self.norm2 = nn.LayerNorm(width, eps), nn.LayerNorm(width, eps)
        self.attn = Attention(width, config.num_attention_heads)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, inner), "fc2": nn.Linear(inner, width)})

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        hidden = hidden + self.attn(self.norm1(hidden))
        inner = F.gelu(self.mlp["fc1"](self.norm2(hidden)))
        return hidden + self.mlp["fc2"](inner)


class Attention(nn.Module):
    """Computes full attention with biases for q and v, and none for k."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self._heads = heads
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.q_bias, self.v_bias = (nn.Parameter(torch.zeros(width)) for _ in range(2))
        self.proj = nn.Linear(width, width)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        bias = torch.cat([self.q_bias, torch.zeros_like(self.q_bias), self.v_bias])
        qkv = F.linear(hidden, self.qkv.weight, bias)
        query, key, value = qkv.unflatten(-1, (3, self._heads, -1)).permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(query, key, value)
        return self.proj(attended.transpose(1, 2).flatten(2))
