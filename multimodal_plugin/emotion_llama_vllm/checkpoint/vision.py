"""Reads the sizes and the tensors of the original's `eva_vit_g.pth`."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import torch
from torch.nn import functional as F

from emotion_llama_vllm.checkpoint.layout import ln_vision_shapes, vision_shapes
from emotion_llama_vllm.checkpoint.tensors import Artefact, ConversionError
from emotion_llama_vllm.config import EvaVisionConfig

ROLE = "--eva"
SIZES_FILE = "eva_config.json"
"""The file beside the EVA file with the sizes that its tensors do not show, if not EVA-ViT-g's."""

_SIZES = {
    "image_size": "image_size",
    "patch_size": "patch_size",
    "embed_dim": "hidden_size",
    "depth": "num_hidden_layers",
    "num_heads": "num_attention_heads",
    "mlp_hidden": "intermediate_size",
    "norm_eps": "layer_norm_eps",
    "ln_vision_eps": "ln_vision_eps",
}
_IGNORED = re.compile(r"(norm|head)\.")
_BLOCK = re.compile(r"blocks\.(\d+)\.")


def read_config(file: Path) -> EvaVisionConfig:
    """Read the sizes from `eva_config.json` beside the file, or return those of EVA-ViT-g."""
    sizes_file = file.with_name(SIZES_FILE)
    if not sizes_file.is_file():
        return EvaVisionConfig()
    sizes = json.loads(sizes_file.read_text(encoding="utf-8"))
    missing = _SIZES.keys() - sizes.keys()
    if missing:
        raise ConversionError(f"{sizes_file}: the size {min(missing)!r} is missing.")
    return EvaVisionConfig(**{ours: sizes[theirs] for theirs, ours in _SIZES.items()})


def read_tensors(eva: Artefact, config: EvaVisionConfig) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the vision tower's tensors; no file ever held its final layer norm."""
    for name, shape in vision_shapes(config).items():
        if name == "pos_embed":
            positions = eva.shape(name)[1]
            tensor = eva.take(name, (1, positions, config.hidden_size))
            yield name, interpolate_positions(tensor, config.num_patches)
        else:
            yield name, eva.take(name, shape)
    for name, shape in ln_vision_shapes(config).items():
        yield name, torch.ones(shape) if name.endswith("weight") else torch.zeros(shape)


def is_ignored(name: str, config: EvaVisionConfig) -> bool:
    """Return whether the model does not need this tensor.

    These are the blocks beyond the depth and the classifier's parts; the original drops them too.
    """
    block = _BLOCK.match(name)
    if block is not None:
        return int(block[1]) >= config.num_hidden_layers
    return _IGNORED.match(name) is not None


def interpolate_positions(positions: torch.Tensor, num_patches: int) -> torch.Tensor:
    """Interpolate the positions of the patches to another picture size, bicubic, in float32.

    Source: `eva_vit.py:373-394` of the original. The CLS row stays as it is.

    Args:
        positions: [1, 1 + patches of the file, width].
        num_patches: the number of patches of the served picture size.

    Returns:
        [1, 1 + num_patches, width].
    """
    positions = positions.float()
    cls_row, patches = positions[:, :1], positions[:, 1:]
    before, after = (round(count**0.5) for count in (patches.shape[1], num_patches))
    if before**2 != patches.shape[1]:
        raise ConversionError(
            f"{ROLE}: pos_embed has {positions.shape[1]} rows, but one more than a square number "
            "is expected."
        )
    if before == after:
        return positions
    grid = patches.reshape(1, before, before, -1).permute(0, 3, 1, 2)
    grid = F.interpolate(grid, size=(after, after), mode="bicubic", align_corners=False)
    return torch.cat([cls_row, grid.permute(0, 2, 3, 1).flatten(1, 2)], dim=1)
