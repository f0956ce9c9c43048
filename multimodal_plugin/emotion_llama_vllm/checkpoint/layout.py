"""Derives the names and shapes of a checkpoint folder's tensors from the configuration."""

from collections.abc import Iterator

import torch
from transformers import HubertConfig, HubertModel, LlamaConfig, LlamaForCausalLM

from emotion_llama_vllm.config import EmotionLlamaConfig, EvaVisionConfig

Shape = tuple[int, ...]

LANGUAGE, VISION, AUDIO = "language_model.", "vision_tower.", "audio_tower."
"""The name prefixes of the three parts; the projections have no prefix."""

_FLOAT32 = (AUDIO, f"{VISION}ln_vision.")
"""The prefixes of the tensors that are stored in float32, because they compute in it."""


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
    blocks = {
        f"blocks.{index}.{name}": shape
        for index in range(config.num_hidden_layers)
        for name, shape in _block_shapes(config)
    }
    return {
        "cls_token": (1, 1, width),
        "pos_embed": (1, config.num_patches + 1, width),
        "patch_embed.proj.weight": (width, 3, patch, patch),
        "patch_embed.proj.bias": (width,),
        **blocks,
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
    weights = {f"{name}.weight": (hidden, size) for name, size in sizes.items()}
    return weights | {f"{name}.bias": (hidden,) for name in sizes}


def tensor_shapes(config: EmotionLlamaConfig) -> dict[str, Shape]:
    """Return the shapes of all tensors in the checkpoint folder."""
    vision = vision_shapes(config.vision) | ln_vision_shapes(config.vision)
    return {
        **{f"{VISION}{name}": shape for name, shape in vision.items()},
        **{f"{AUDIO}{name}": shape for name, shape in audio_shapes(config.audio).items()},
        **projection_shapes(config),
        **{f"{LANGUAGE}{name}": shape for name, shape in language_shapes(config.text).items()},
    }


def _block_shapes(config: EvaVisionConfig) -> Iterator[tuple[str, Shape]]:
    width, inner = config.hidden_size, config.intermediate_size
    for norm in ("norm1", "norm2"):
        yield f"{norm}.weight", (width,)
        yield f"{norm}.bias", (width,)
    yield "attn.qkv.weight", (3 * width, width)
    yield "attn.q_bias", (width,)
    yield "attn.v_bias", (width,)
    for name, (rows, columns) in {
        "attn.proj": (width, width),
        "mlp.fc1": (inner, width),
        "mlp.fc2": (width, inner),
    }.items():
        yield f"{name}.weight", (rows, columns)
        yield f"{name}.bias", (rows,)


def _shapes(module: torch.nn.Module) -> dict[str, Shape]:
    return {name: tuple(parameter.shape) for name, parameter in module.named_parameters()}
