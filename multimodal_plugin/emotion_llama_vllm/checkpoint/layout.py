"""Derives the names and shapes of a checkpoint folder's tensors from the configuration."""

from collections.abc import Iterator, Mapping

import torch
from transformers import HubertConfig, HubertModel, LlamaConfig, LlamaForCausalLM

from emotion_llama_vllm.config import (
    FACE_PATCH,
    FACE_PATCHES,
    EmotionLlamaConfig,
    EvaVisionConfig,
    FaceEncoderConfig,
)
from emotion_llama_vllm.media.faces.sampling import TUBELET

Shape = tuple[int, ...]

LANGUAGE, VISION, AUDIO = "language_model.", "vision_tower.", "audio_tower."
FACE_MAE, VIDEO_MAE = "face_mae.", "video_mae."
"""The name prefixes of the parts; the projections have no prefix."""

_FLOAT32 = (AUDIO, f"{VISION}ln_vision.", FACE_MAE, VIDEO_MAE)
"""The prefixes of the tensors that are stored in float32, because they compute in it."""
_SEPARATE_BIASES, _ONE_BIAS = {"q_bias": 1, "v_bias": 1}, {"qkv.bias": 3}
"""The biases of q, k and v in the two kinds of files, and their sizes in widths."""


def kept_dtype(name: str, dtype: torch.dtype) -> torch.dtype:
    """Return the dtype in which a tensor is stored if the checkpoint's dtype is `dtype`."""
    return torch.float32 if name.startswith(_FLOAT32) else dtype


def language_shapes(config: LlamaConfig) -> dict[str, Shape]:
    """Return the shapes of the Llama's tensors, under the Llama's own names."""
    with torch.device("meta"):
        return _shapes(LlamaForCausalLM(config))


def audio_shapes(config: HubertConfig) -> dict[str, Shape]:
    """Return the shapes of HuBERT's tensors, under HuBERT's own names."""
    with torch.device("meta"):
        return _shapes(HubertModel(config))


def vision_shapes(config: EvaVisionConfig) -> dict[str, Shape]:
    """Return the shapes of the EVA-ViT's tensors without `ln_vision`, under its file's names."""
    width, patch = config.hidden_size, config.patch_size
    return {
        "cls_token": (1, 1, width),
        "pos_embed": (1, config.num_patches + 1, width),
        "patch_embed.proj.weight": (width, 3, patch, patch),
        "patch_embed.proj.bias": (width,),
        **_blocks_shapes(config, _SEPARATE_BIASES),
    }


def face_mae_shapes(config: FaceEncoderConfig) -> dict[str, Shape]:
    """Return the shapes of FaceMAE's tensors, under its file's names."""
    width = config.hidden_size
    return {
        "cls_token": (1, 1, width),
        "pos_embed": (1, 1 + FACE_PATCHES, width),
        "patch_embed.proj.weight": (width, 3, FACE_PATCH, FACE_PATCH),
        "patch_embed.proj.bias": (width,),
        **_blocks_shapes(config, _ONE_BIAS),
        "norm.weight": (width,),
        "norm.bias": (width,),
    }


def video_mae_shapes(config: FaceEncoderConfig) -> dict[str, Shape]:
    """Return the shapes of VideoMAE's tensors, under its file's names."""
    width = config.hidden_size
    return {
        "patch_embed.proj.weight": (width, 3, TUBELET, FACE_PATCH, FACE_PATCH),
        "patch_embed.proj.bias": (width,),
        **_blocks_shapes(config, _SEPARATE_BIASES),
    }


def ln_vision_shapes(config: EvaVisionConfig) -> dict[str, Shape]:
    """Return the shapes of the layer norm after the EVA-ViT."""
    return {f"ln_vision.{name}": (config.hidden_size,) for name in ("weight", "bias")}


def projection_shapes(config: EmotionLlamaConfig) -> dict[str, Shape]:
    """Return the shapes of the five projections, under the names of the original's checkpoint."""
    vision, feature = config.vision.hidden_size, config.feature_size
    sizes = {
        "llama_proj": vision * config.patches_per_embedding,
        "feats_llama_proj1": feature,
        "feats_llama_proj2": feature,
        "feats_llama_proj3": feature,
        "cls_tk_llama_proj": vision,
    }
    hidden = config.text.hidden_size
    weights: dict[str, Shape] = {f"{name}.weight": (hidden, size) for name, size in sizes.items()}
    return weights | {f"{name}.bias": (hidden,) for name in sizes}


def tensor_shapes(config: EmotionLlamaConfig) -> dict[str, Shape]:
    """Return the shapes of all tensors in the checkpoint folder."""
    vision = vision_shapes(config.vision) | ln_vision_shapes(config.vision)
    faces = face_mae_shapes(config.face_mae) if config.face_mae else {}
    video = video_mae_shapes(config.video_mae) if config.video_mae else {}
    return {
        **{f"{VISION}{name}": shape for name, shape in vision.items()},
        **{f"{AUDIO}{name}": shape for name, shape in audio_shapes(config.audio).items()},
        **{f"{FACE_MAE}{name}": shape for name, shape in faces.items()},
        **{f"{VIDEO_MAE}{name}": shape for name, shape in video.items()},
        **projection_shapes(config),
        **{f"{LANGUAGE}{name}": shape for name, shape in language_shapes(config.text).items()},
    }


def is_linear(name: str) -> bool:
    """Return whether it is the weight of a linear layer of the Llama, which may be quantized.

    Its head is none of them.
    """
    return name.startswith(LANGUAGE) and name.endswith("_proj.weight")


def _blocks_shapes(
    config: EvaVisionConfig | FaceEncoderConfig, biases: Mapping[str, int]
) -> dict[str, Shape]:
    """Return the shapes of a ViT's blocks, with `biases` for q, k and v, in widths."""
    return {
        f"blocks.{index}.{name}": shape
        for index in range(config.num_hidden_layers)
        for name, shape in _block_shapes(config, biases)
    }


def _block_shapes(
    config: EvaVisionConfig | FaceEncoderConfig, biases: Mapping[str, int]
) -> Iterator[tuple[str, Shape]]:
    width, inner = config.hidden_size, config.intermediate_size
    for norm in ("norm1", "norm2"):
        yield f"{norm}.weight", (width,)
        yield f"{norm}.bias", (width,)
    yield "attn.qkv.weight", (3 * width, width)
    for name, widths in biases.items():
        yield f"attn.{name}", (widths * width,)
    for name, (rows, columns) in {
        "attn.proj": (width, width),
        "mlp.fc1": (inner, width),
        "mlp.fc2": (width, inner),
    }.items():
        yield f"{name}.weight", (rows, columns)
        yield f"{name}.bias", (rows,)


def _shapes(module: torch.nn.Module) -> dict[str, Shape]:
    return {name: tuple(parameter.shape) for name, parameter in module.named_parameters()}
