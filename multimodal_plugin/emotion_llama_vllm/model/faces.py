"""Encodes the face crops of clips into the two feature rows of FaceMAE and VideoMAE.

Both are ViTs that read uint8 crops of `CROP` pixels, enlarged twice, as RGB in 0..1. The original
computes them in float32, and so do these: build them under that default dtype.
"""

from collections.abc import Iterable, Sequence

import torch
from torch import nn
from vllm.model_executor.models.utils import AutoWeightsLoader

from emotion_llama_vllm.config import (
    FACE_PATCH,
    FACE_PATCHES,
    FaceEncoderConfig,
)
from emotion_llama_vllm.media.faces.sampling import TUBELET, VIDEO_FRAMES, video_frames
from emotion_llama_vllm.model.vit import SEPARATE_BIASES, blocks

FRAMES_AT_ONCE = 32
"""The number of crops in a batch of FaceMAE, which has as many tokens as `CLIPS_AT_ONCE` clips in
VideoMAE. Larger batches only need more memory."""
CLIPS_AT_ONCE = 4


class FaceMae(nn.Module):
    """Computes FaceMAE's class token after the final norm, as its mean over a clip's frames."""

    def __init__(self, config: FaceEncoderConfig, prefix: str = "") -> None:
        super().__init__()
        width = config.hidden_size
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, width, FACE_PATCH, FACE_PATCH)})
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + FACE_PATCHES, width))
        self.blocks = blocks(config, prefix)
        self.norm = nn.LayerNorm(width, eps=config.layer_norm_eps)

    def forward(self, clips: Sequence[torch.Tensor]) -> torch.Tensor:
        """Encode clips; their frames share batches.

        Args:
            clips: RGB uint8 [frames, CROP, CROP, 3] each, of any numbers of frames.

        Returns:
            float32 [clips, width].
        """
        batches = torch.cat(list(clips)).split(FRAMES_AT_ONCE)
        frames = torch.cat([self.norm(self.encode(enlarge(batch)))[:, 0] for batch in batches])
        return torch.stack([clip.mean(dim=0) for clip in frames.split([len(c) for c in clips])])

    def encode(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return the tokens before the final norm, [pictures, 1 + patches, width]."""
        patches = self.patch_embed["proj"](pictures).flatten(2).transpose(1, 2)
        hidden = torch.cat([self.cls_token.expand(len(patches), -1, -1), patches], dim=1)
        return _through(self.blocks, hidden + self.pos_embed)

    def load_weights(self, weights: Iterable[tuple[str, torch.Tensor]]) -> set[str]:
        return AutoWeightsLoader(self).load_weights(weights)


class VideoMae(nn.Module):
    """Computes the mean of VideoMAE's tokens, without its final norm, over 16 sampled frames."""

    positions: torch.Tensor

    def __init__(self, config: FaceEncoderConfig, prefix: str = "") -> None:
        super().__init__()
        width, patch = config.hidden_size, (TUBELET, FACE_PATCH, FACE_PATCH)
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv3d(3, width, patch, patch)})
        self.blocks = blocks(config, prefix)
        positions = sine_positions(VIDEO_FRAMES // TUBELET * FACE_PATCHES, width)
        self.register_buffer("positions", positions, persistent=False)

    def forward(self, clips: Sequence[torch.Tensor]) -> torch.Tensor:
        """Encode clips; a few of them share a batch.

        Args:
            clips: RGB uint8 [frames, CROP, CROP, 3] each, of any numbers of frames.

        Returns:
            float32 [clips, width].
        """
        sampled = torch.stack([clip[video_frames(len(clip))] for clip in clips])
        batches = sampled.split(CLIPS_AT_ONCE)
        return torch.cat([self.encode(enlarge(b).transpose(1, 2)).mean(dim=1) for b in batches])

    def encode(self, videos: torch.Tensor) -> torch.Tensor:
        """Return the tokens [videos, 1568, width] of videos [videos, 3, frames, height, width]."""
        patches = self.patch_embed["proj"](videos).flatten(2).transpose(1, 2)
        return _through(self.blocks, patches + self.positions)

    def load_weights(self, weights: Iterable[tuple[str, torch.Tensor]]) -> set[str]:
        return AutoWeightsLoader(self).load_weights(weights, mapper=SEPARATE_BIASES)


def enlarge(crops: torch.Tensor) -> torch.Tensor:
    """Enlarge crops twice and scale them to 0..1.

    The pixels equal those of Pillow's bilinear resize, which works on bytes: first along the rows,
    then along the columns, rounded each time.

    Args:
        crops: uint8 [..., height, width, 3].

    Returns:
        float32 [..., 3, 2 * height, 2 * width].
    """
    wide = _double(crops.to(torch.int16), dim=-2)
    return _double(wide, dim=-3).movedim(-1, -3).float() / 255


def _double(pixels: torch.Tensor, dim: int) -> torch.Tensor:
    """Put two pixels in place of each along a dimension.

    A new pixel has three parts of the old one, and one part of the neighbour on its side. Where
    `dim` is not the last dimension, the copies are of whole runs of memory, which takes half the
    time.
    """
    count = pixels.shape[dim]
    first, last = pixels.narrow(dim, 0, 1), pixels.narrow(dim, count - 1, 1)
    before = torch.cat([first, pixels.narrow(dim, 0, count - 1)], dim)
    after = torch.cat([pixels.narrow(dim, 1, count - 1), last], dim)
    three_parts = 3 * pixels + 2
    pairs = [(three_parts + neighbour) >> 2 for neighbour in (before, after)]
    return torch.stack(pairs, dim).flatten(dim - 1, dim)


def sine_positions(count: int, width: int) -> torch.Tensor:
    """Return fixed positions: sines in the even columns and cosines in the odd ones.

    Returns:
        float32 [count, width].
    """
    frequencies = 10_000 ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    angles = torch.arange(count, dtype=torch.float64)[:, None] * frequencies
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1).float()


def _through(layers: nn.ModuleList, hidden: torch.Tensor) -> torch.Tensor:
    for layer in layers:
        hidden = layer(hidden)
    return hidden
