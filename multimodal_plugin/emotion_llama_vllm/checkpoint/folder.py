"""Writes a checkpoint folder."""

import json
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import GenerationConfig, PreTrainedTokenizerFast

from emotion_llama_vllm import ARCHITECTURE
from emotion_llama_vllm.config import EmotionLlamaConfig
from emotion_llama_vllm.media.loader import VIDEO_PROCESSOR_TYPE


def write_checkpoint(
    out: Path,
    *,
    config: EmotionLlamaConfig,
    tensors: Mapping[str, torch.Tensor],
    tokenizer: PreTrainedTokenizerFast,
) -> None:
    """Write everything that serving needs into the folder `out`.

    Args:
        out: created if it is missing.
        config: sizes of the model; its architecture is set here.
        tensors: weights under the names of `model.emotion_llama`.
        tokenizer: from `tokenizer.build_tokenizer`.
    """
    out.mkdir(parents=True, exist_ok=True)
    config.architectures = [ARCHITECTURE]
    config.save_pretrained(out)
    tokenizer.save_pretrained(out)
    generation_config(config).save_pretrained(out)
    (out / "chat_template.jinja").write_text(chat_template(), encoding="utf-8")
    _write_json(
        out / "preprocessor_config.json",
        {"video_processor_type": VIDEO_PROCESSOR_TYPE, "size": config.vision.image_size},
    )
    weights = out / "model.safetensors"
    save_file(dict(tensors), weights, metadata={"format": "pt"})
    weights.chmod(0o644)  # safetensors leaves it readable to its owner alone


def chat_template() -> str:
    return (
        files("emotion_llama_vllm.checkpoint")
        .joinpath("chat_template.jinja")
        .read_text(encoding="utf-8")
    )


def generation_config(config: EmotionLlamaConfig) -> GenerationConfig:
    """The demo's sampling (`conversation.py:189-215` of the original; top_k was the library's)."""
    return GenerationConfig(
        do_sample=True,
        temperature=0.2,
        top_p=0.9,
        top_k=50,
        max_new_tokens=500,
        bos_token_id=config.text.bos_token_id,
        eos_token_id=config.text.eos_token_id,
        pad_token_id=config.video_token_id,
    )


def _write_json(path: Path, content: dict[str, object]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
