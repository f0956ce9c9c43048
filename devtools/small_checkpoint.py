"""Writes a small checkpoint with random weights of the right shapes, through the converter."""

import argparse
import json
import math
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import sentencepiece
import torch
from transformers import HubertModel, LlamaForCausalLM

from demo.training.originals import adapter_shapes, eva_shapes, train_tokenizer, write_originals
from emotion_llama_vllm.checkpoint.convert import Originals, convert
from emotion_llama_vllm.checkpoint.layout import face_mae_shapes, video_mae_shapes
from emotion_llama_vllm.config import EmotionLlamaConfig, FaceEncoderConfig

_TEXTS = (
    "<video> </video> <feature><FeatureHere></feature> [INST] [/INST] [emotion] [reason]",
    "The person in video says: Won't you? Impossible! Please determine which emotion label in the "
    "video represents: neutral, angry, happy, sad, worried, surprise, fear, contempt, doubt.",
    "What are the facial expressions and vocal tone used in the video? What is the intended "
    "meaning behind the words? Which emotion does this reflect? The person in the video frowns, "
    "smiles, raises the brows, speaks with a low and slow voice, so the emotion is sad.",
)

FACE_CONFIG = FaceEncoderConfig(
    hidden_size=64, num_hidden_layers=2, num_attention_heads=4, intermediate_size=256
)
"""The sizes of small face encoders, as wide as the small HuBERT."""


def small_config(vocab_size: int) -> EmotionLlamaConfig:
    """Return the 7B's architecture with small numbers, and head sizes of vLLM's backends."""
    return EmotionLlamaConfig(
        text_config={
            "vocab_size": vocab_size,
            "hidden_size": 128,
            "intermediate_size": 256,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 2,
            "max_position_embeddings": 2048,
            "rms_norm_eps": 1e-5,
            "bos_token_id": 1,
            "eos_token_id": 2,
        },
        vision_config={
            "image_size": 112,
            "hidden_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "intermediate_size": 280,
        },
        audio_config={
            "hidden_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "intermediate_size": 128,
            "conv_dim": (32,) * 7,
            "conv_bias": True,
            "feat_extract_norm": "layer",
            "do_stable_layer_norm": True,
            "num_conv_pos_embeddings": 32,
            "num_conv_pos_embedding_groups": 4,
        },
    )


def write_random_originals(out: Path, *, seed: int = 0) -> Originals:
    """Write the original's artefacts with random weights."""
    torch.manual_seed(seed)
    tokenizer = train_tokenizer(_TEXTS, size=512)
    pieces = sentencepiece.SentencePieceProcessor(model_proto=tokenizer).GetPieceSize()
    config = small_config(pieces)
    return write_originals(
        out,
        config,
        tokenizer=tokenizer,
        llama=LlamaForCausalLM(config.text),
        hubert=HubertModel(config.audio),
        eva=_draw(eva_shapes(config.vision)),
        adapter=_draw(adapter_shapes(config)),
    )


def write_random_face_encoders(
    out: Path, *, seed: int = 0, config: FaceEncoderConfig = FACE_CONFIG
) -> tuple[Path, Path]:
    """Write FaceMAE and VideoMAE with random weights, in the form in which trainings store them.

    Returns:
        The paths of the two files; a file with its sizes is beside each.
    """
    torch.manual_seed(seed)
    tensors = {
        "face_mae": _draw(face_mae_shapes(config)) | {"decoder_embed.bias": torch.zeros(8)},
        "video_mae": {f"encoder.{name}": t for name, t in _draw(video_mae_shapes(config)).items()},
    }
    for name, model in tensors.items():
        torch.save({"model": model, "args": argparse.Namespace(epochs=1)}, out / f"{name}.pth")
        (out / f"{name}_config.json").write_text(json.dumps(face_sizes(config)))
    return out / "face_mae.pth", out / "video_mae.pth"


def face_sizes(config: FaceEncoderConfig) -> dict[str, int]:
    """Return the content of `face_mae_config.json` or `video_mae_config.json`."""
    return {
        "embed_dim": config.hidden_size,
        "depth": config.num_hidden_layers,
        "num_heads": config.num_attention_heads,
        "mlp_hidden": config.intermediate_size,
    }


def write_random_checkpoint(
    out: Path, *, seed: int = 0, dtype: torch.dtype = torch.bfloat16, has_faces: bool = False
) -> None:
    """Write a checkpoint folder with random weights through the converter.

    Args:
        out: the folder to create.
        seed: the seed of the weights.
        dtype: the dtype of the weights.
        has_faces: True for a checkpoint with both face encoders.
    """
    with tempfile.TemporaryDirectory() as folder:
        originals = write_random_originals(Path(folder), seed=seed)
        if has_faces:
            face_mae, video_mae = write_random_face_encoders(Path(folder), seed=seed)
            originals = replace(originals, face_mae=face_mae, video_mae=video_mae)
        convert(originals, out, dtype=dtype)


def _draw(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    """Return random values that keep the activations of order one."""
    return {name: torch.randn(shape) / math.sqrt(_fan_in(shape)) for name, shape in shapes.items()}


def _fan_in(shape: tuple[int, ...]) -> int:
    return math.prod(shape[1:]) if len(shape) > 1 else 100
