"""Implements FaceMAE and VideoMAE in plain PyTorch for training, with the original's names.

Both may leave tokens out, as masked autoencoders do: a training on some of the patches costs less,
and the encoder works on all of them later.
"""

import torch
from torch import nn

from demo.training.eva import Block
from emotion_llama_vllm.config import FACE_PATCH, FACE_PATCHES, FaceEncoderConfig
from emotion_llama_vllm.media.faces.sampling import TUBELET, VIDEO_FRAMES
from emotion_llama_vllm.model.faces import enlarge, sine_positions

VIDEO_PATCHES = VIDEO_FRAMES // TUBELET * FACE_PATCHES


class FaceMae(nn.Module):
    """Implements the encoder of a masked autoencoder for single crops."""

    def __init__(self, config: FaceEncoderConfig) -> None:
        super().__init__()
        width = config.hidden_size
        proj = _for_raw_pixels(nn.Conv2d(3, width, FACE_PATCH, FACE_PATCH))
        self.patch_embed = nn.ModuleDict({"proj": proj})
        self.cls_token = nn.Parameter(torch.randn(1, 1, width) * 0.02)
        positions = sine_positions(FACE_PATCHES, width)
        self.pos_embed = nn.Parameter(torch.cat([torch.zeros(1, width), positions])[None])
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.num_hidden_layers))
        self.norm = nn.LayerNorm(width, eps=config.layer_norm_eps)

    def forward(self, crops: torch.Tensor, kept: torch.Tensor | None = None) -> torch.Tensor:
        """Encode RGB uint8 [N, CROP, CROP, 3] to the class token after the final norm, [N, width].

        `kept` has the indices of the patches to read; None for all.
        """
        return self.encode(crops, kept)[:, 0]

    def encode(self, crops: torch.Tensor, kept: torch.Tensor | None = None) -> torch.Tensor:
        """Return the class token and the patches after the final norm, [N, tokens, width]."""
        patches = self.patch_embed["proj"](enlarge(crops)).flatten(2).transpose(1, 2)
        patches = _keep(patches + self.pos_embed[:, 1:], kept)
        cls_token = self.cls_token + self.pos_embed[:, :1]
        hidden = torch.cat([cls_token.expand(len(crops), -1, -1), patches], 1)
        for block in self.blocks:
            hidden = block(hidden)
        return self.norm(hidden)


class VideoMae(nn.Module):
    """Implements the encoder of a masked autoencoder for VIDEO_FRAMES crops of a clip."""

    positions: torch.Tensor

    def __init__(self, config: FaceEncoderConfig) -> None:
        super().__init__()
        width, patch = config.hidden_size, (TUBELET, FACE_PATCH, FACE_PATCH)
        proj = _for_raw_pixels(nn.Conv3d(3, width, patch, patch))
        self.patch_embed = nn.ModuleDict({"proj": proj})
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.num_hidden_layers))
        positions = sine_positions(VIDEO_PATCHES, width)
        self.register_buffer("positions", positions, persistent=False)

    def start_from(self, faces: FaceMae) -> None:
        """Start with what another encoder has learnt of single crops.

        The first layer sees each of its two crops with half of the weight, so that two equal crops
        become the patches of one (Carreira and Zisserman, 2017).
        """
        names, first = self.state_dict().keys(), "patch_embed.proj.weight"
        learnt = {name: tensor for name, tensor in faces.state_dict().items() if name in names}
        learnt[first] = torch.stack([learnt[first] / TUBELET] * TUBELET, 2)
        self.load_state_dict(learnt)

    def forward(self, videos: torch.Tensor, kept: torch.Tensor | None = None) -> torch.Tensor:
        """Encode RGB uint8 [N, VIDEO_FRAMES, CROP, CROP, 3] to the mean of the tokens, [N, width].

        `kept` has the indices of the patches to read; None for all.
        """
        return self.encode(videos, kept).mean(1)

    def encode(self, videos: torch.Tensor, kept: torch.Tensor | None = None) -> torch.Tensor:
        """Return the patches, [N, tokens, width]."""
        pixels = enlarge(videos).transpose(1, 2)
        patches = self.patch_embed["proj"](pixels).flatten(2).transpose(1, 2)
        hidden = _keep(patches + self.positions, kept)
        for block in self.blocks:
            hidden = block(hidden)
        return hidden


def _for_raw_pixels(proj: nn.Conv2d | nn.Conv3d) -> nn.Module:
    """Let a layer start as if its pixels, of 0 to 1, had a mean of 0 and a deviation of 1."""
    with torch.no_grad():
        proj.weight /= 0.25
        proj.bias = nn.Parameter(-0.4 * proj.weight.flatten(1).sum(1))
    return proj


def _keep(patches: torch.Tensor, kept: torch.Tensor | None) -> torch.Tensor:
    return patches if kept is None else patches[:, kept]
