"""Writes a small checkpoint with random weights of the right shapes, through the converter."""

import math
import tempfile
from collections.abc import Mapping
from pathlib import Path

import sentencepiece
import torch
from transformers import HubertModel, LlamaForCausalLM

from demo.training.originals import adapter_shapes, eva_shapes, train_tokenizer, write_originals
from emotion_llama_vllm.checkpoint.convert import Originals, convert
from emotion_llama_vllm.config import EmotionLlamaConfig

_TEXTS = (
    "<video> </video> <feature><FeatureHere></feature> [INST] [/INST] [emotion] [reason]",
    "The person in video says: Won't you? Impossible! Please determine which emotion label in the "
    "video represents: neutral, angry, happy, sad, worried, surprise, fear, contempt, doubt.",
    "What are the facial expressions and vocal tone used in the video? What is the intended "
    "meaning behind the words? Which emotion does this reflect? The person in the video frowns, "
    "smiles, raises the brows, speaks with a low and slow voice, so the emotion is sad.",
)


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


def write_random_checkpoint(
    out: Path, *, seed: int = 0, dtype: torch.dtype = torch.bfloat16
) -> None:
    """Write a checkpoint folder with random weights through the converter."""
    with tempfile.TemporaryDirectory() as folder:
        convert(write_random_originals(Path(folder), seed=seed), out, dtype=dtype)


def _draw(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, torch.Tensor]:
    """Return random values that keep the activations of order one."""
    return {name: torch.randn(shape) / math.sqrt(_fan_in(shape)) for name, shape in shapes.items()}


def _fan_in(shape: tuple[int, ...]) -> int:
    return math.prod(shape[1:]) if len(shape) > 1 else 100
