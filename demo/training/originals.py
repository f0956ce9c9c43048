"""Writes the original's artefacts, in the formats that its users have."""

import argparse
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import sentencepiece
import torch
from transformers import HubertModel, LlamaForCausalLM

from emotion_llama_vllm.checkpoint.convert import Originals
from emotion_llama_vllm.checkpoint.layout import projection_shapes, vision_shapes
from emotion_llama_vllm.checkpoint.tokenizer import SPECIAL_TOKENS
from emotion_llama_vllm.config import EmotionLlamaConfig, EvaVisionConfig, FaceEncoderConfig

LORA_RANK = 8
LORA_NAME = "llama_model.base_model.model.model.layers.{}.self_attn.{}_proj.lora_{}.weight"
"""The name of a LoRA tensor, as in peft 0.2, with its layer, projection and half."""


def train_tokenizer(texts: Iterable[str], size: int) -> bytes:
    """Train a Llama-like `tokenizer.model` of at most `size` pieces, with byte fallback."""
    model = io.BytesIO()
    unk, bos, eos = SPECIAL_TOKENS
    sentencepiece.SentencePieceTrainer.Train(
        sentence_iterator=iter(texts),
        model_writer=model,
        model_type="bpe",
        vocab_size=size,
        hard_vocab_limit=False,
        byte_fallback=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        split_digits=True,
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=-1,
        unk_piece=unk,
        bos_piece=bos,
        eos_piece=eos,
        minloglevel=2,
    )
    return model.getvalue()


def write_originals(
    out: Path,
    config: EmotionLlamaConfig,
    *,
    tokenizer: bytes,
    llama: LlamaForCausalLM,
    hubert: HubertModel,
    eva: Mapping[str, torch.Tensor],
    adapter: Mapping[str, torch.Tensor],
) -> Originals:
    """Write the artefacts into the folder `out`.

    Args:
        out: the folder, created if it is missing.
        config: the configuration of the whole model.
        tokenizer: the bytes of a `tokenizer.model`.
        llama: the Llama without the LoRA.
        hubert: the sound encoder.
        eva: tensors of `layout.vision_shapes`, with positions at the served picture's size.
        adapter: LoRA pairs of `lora_shapes`, and tensors of `layout.projection_shapes`.
    """
    originals = Originals(
        llama=out / "llama",
        eva=out / "eva_vit_g.pth",
        hubert=out / "hubert",
        checkpoint=out / "Emotion_LLaMA.pth",
    )
    llama.save_pretrained(originals.llama)
    hubert.save_pretrained(originals.hubert)
    (originals.llama / "tokenizer.model").write_bytes(tokenizer)
    torch.save(dict(eva), originals.eva)
    sizes = json.dumps(eva_sizes(config.vision), indent=2)
    (out / "eva_config.json").write_text(sizes + "\n")
    torch.save({"model": dict(adapter)}, originals.checkpoint)
    return originals


def write_face_encoders(
    out: Path,
    config: FaceEncoderConfig,
    face_mae: Mapping[str, torch.Tensor],
    video_mae: Mapping[str, torch.Tensor],
) -> tuple[Path, Path]:
    """Write both face encoders into the folder `out`, and their sizes beside them.

    Args:
        out: the folder, which exists.
        config: the sizes of both.
        face_mae: tensors of `layout.face_mae_shapes`, and others that a training leaves there.
        video_mae: tensors of `layout.video_mae_shapes`.

    Returns:
        The paths of FaceMAE and VideoMAE.
    """
    sizes = json.dumps(face_sizes(config), indent=2) + "\n"
    for name in ("face_mae", "video_mae"):
        (out / f"{name}_config.json").write_text(sizes)
    files = out / "face_mae.pth", out / "video_mae.pth"
    encoder = {f"encoder.{name}": tensor for name, tensor in video_mae.items()}
    for file, model in zip(files, (dict(face_mae), encoder), strict=True):
        torch.save({"model": model, "args": argparse.Namespace(epochs=1)}, file)
    return files


def joined_biases(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return a ViT's tensors with one bias for q, k and v, as FaceMAE's file has it."""
    joined = dict(tensors)
    for name in [name for name in tensors if name.endswith(".q_bias")]:
        query, value = joined.pop(name), joined.pop(name.replace(".q_bias", ".v_bias"))
        bias = torch.cat([query, torch.zeros_like(query), value])
        joined[name.replace(".q_bias", ".qkv.bias")] = bias
    return joined


def face_sizes(config: FaceEncoderConfig) -> dict[str, int]:
    """Return the content of `face_mae_config.json` or `video_mae_config.json`."""
    return {
        "embed_dim": config.hidden_size,
        "depth": config.num_hidden_layers,
        "num_heads": config.num_attention_heads,
        "mlp_hidden": config.intermediate_size,
    }


def lora_shapes(config: EmotionLlamaConfig, rank: int = LORA_RANK) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the LoRA pairs on q_proj and v_proj."""
    hidden = config.text.hidden_size
    return {
        LORA_NAME.format(layer, projection, part): shape
        for layer in range(config.text.num_hidden_layers)
        for projection in "qv"
        for part, shape in (("A", (rank, hidden)), ("B", (hidden, rank)))
    }


def adapter_shapes(config: EmotionLlamaConfig) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the tensors in `Emotion_LLaMA.pth` that the model uses."""
    return lora_shapes(config) | projection_shapes(config)


def eva_shapes(config: EvaVisionConfig) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the tensors in `eva_vit_g.pth` that the model uses."""
    return vision_shapes(config)


def eva_sizes(config: EvaVisionConfig) -> dict[str, int | float]:
    """Return the content of `eva_config.json`."""
    return {
        "embed_dim": config.hidden_size,
        "depth": config.num_hidden_layers,
        "num_heads": config.num_attention_heads,
        "mlp_hidden": config.intermediate_size,
        "patch_size": config.patch_size,
        "image_size": config.image_size,
        "norm_eps": config.layer_norm_eps,
        "ln_vision_eps": config.ln_vision_eps,
    }
