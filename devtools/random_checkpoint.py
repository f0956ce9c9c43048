"""Writes checkpoints of random weights, through the original's five artefacts and the converter.

    python -m devtools.random_checkpoint --out DIR

It writes the mid-size one: all parts of the real model, each with about a fiftieth of its
parameters, and the same 260 embeddings for a clip. Its answers are noise; only sizes, memory and
time matter.
"""

import argparse
import json
import math
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import sentencepiece
import torch
from safetensors.torch import save_file
from sentencepiece import sentencepiece_model_pb2

from demo.training.originals import eva_sizes, lora_shapes, train_tokenizer
from emotion_llama_vllm.checkpoint.card import Card
from emotion_llama_vllm.checkpoint.convert import Originals, convert
from emotion_llama_vllm.checkpoint.folder import new_folder, write_files, write_weights
from emotion_llama_vllm.checkpoint.layout import (
    audio_shapes,
    kept_dtype,
    language_shapes,
    projection_shapes,
    tensor_shapes,
    vision_shapes,
)
from emotion_llama_vllm.checkpoint.manifest import FILE_NAME, Manifest
from emotion_llama_vllm.checkpoint.tokenizer import read_sentencepiece
from emotion_llama_vllm.config import EmotionLlamaConfig

LORA_RANK = 64
_TEXTS = (
    "<s>[INST] <video></video> <feature><FeatureHere></feature> The person in video says: .",
    "[reason] [emotion]",
    "Which emotion is this, and why?  [/INST] What in the face tells how the person feels?",
    "What in the voice tells how the person feels? Do face and voice say the same?",
    "How strong is the emotion? Which other emotion could it be? Is the person at ease?",
    "What would you ask this person next? Please determine which emotion label in the video "
    "represents: neutral, angry, happy, sad, worried, surprise.",
)
"""The tokenizer's texts, so that prompts have about as many tokens as with the real tokenizer."""
SHARD_TENSORS = 60
_LAYER_NORM_AUDIO = {
    "conv_bias": True,
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
}


def full_config() -> EmotionLlamaConfig:
    """Return the sizes of Llama-2-7b-chat, EVA-ViT-g at 448 pixels and chinese-hubert-large."""
    return EmotionLlamaConfig(
        text_config={"vocab_size": 32_000, "max_position_embeddings": 4096, "rms_norm_eps": 1e-5},
        audio_config={
            "hidden_size": 1024,
            "num_hidden_layers": 24,
            "num_attention_heads": 16,
            "intermediate_size": 4096,
            **_LAYER_NORM_AUDIO,
        },
    )


def midsize_config() -> EmotionLlamaConfig:
    """Return sizes with about 170 million parameters: 135 in the Llama, 21 in the ViT, 6 in HuBERT.

    Each part has the real one's share and, nearly, its ratio of width to depth; pictures, patches
    and the clip's 260 embeddings are the real ones.
    """
    return EmotionLlamaConfig(
        text_config={
            "vocab_size": 4096,
            "hidden_size": 1024,
            "intermediate_size": 2752,
            "num_hidden_layers": 10,
            "num_attention_heads": 16,
            "num_key_value_heads": 16,
            "max_position_embeddings": 4096,
            "rms_norm_eps": 1e-5,
            "bos_token_id": 1,
            "eos_token_id": 2,
        },
        vision_config={
            "hidden_size": 384,
            "num_hidden_layers": 11,
            "num_attention_heads": 6,
            "intermediate_size": 1676,
        },
        audio_config={
            "hidden_size": 256,
            "num_hidden_layers": 6,
            "num_attention_heads": 4,
            "intermediate_size": 1024,
            "conv_dim": (256,) * 7,
            **_LAYER_NORM_AUDIO,
        },
    )


def write_midsize(out: Path) -> EmotionLlamaConfig:
    """Write the mid-size checkpoint in bfloat16, like the real one."""
    with tempfile.TemporaryDirectory(prefix="emotion-llama-") as folder:
        originals = write_originals(Path(folder), midsize_config())
        return convert(originals, out, dtype=torch.bfloat16)


def write_full(out: Path) -> None:
    """Write a checkpoint of the real sizes (17 GB) directly, without the originals."""
    config = full_config()
    config.dtype = torch.bfloat16
    config.audio.mask_time_prob = config.audio.mask_feature_prob = 0.0
    wanted = {
        name: (shape, kept_dtype(name, torch.bfloat16))
        for name, shape in tensor_shapes(config).items()
    }
    with new_folder(out) as folder, tempfile.NamedTemporaryFile(suffix=".model") as file:
        Path(file.name).write_bytes(tokenizer(config.text.vocab_size))
        write_files(folder, config, read_sentencepiece(Path(file.name)), Card())
        write_weights(folder, Noise().each(wanted))
        manifest = Manifest(made_by=__name__, inputs=[], lora_rank=0, lora_alpha=0, ignored={})
        (folder / FILE_NAME).write_text(manifest.model_dump_json())


def write_originals(folder: Path, config: EmotionLlamaConfig) -> Originals:
    """Write the five artefacts in the users' form: half precision, the Llama in shards."""
    noise = Noise()
    originals = Originals(
        llama=folder / "llama",
        eva=folder / "eva_vit_g.pth",
        hubert=folder / "hubert",
        checkpoint=folder / "Emotion_LLaMA.pth",
    )
    for place in (originals.llama, originals.hubert):
        place.mkdir(parents=True)
    config.text.save_pretrained(originals.llama)
    config.audio.save_pretrained(originals.hubert)
    (originals.llama / "tokenizer.model").write_bytes(tokenizer(config.text.vocab_size))
    language = list(language_shapes(config.text).items())
    for start in range(0, len(language), SHARD_TENSORS):
        part = dict(language[start : start + SHARD_TENSORS])
        file = originals.llama / f"model-{start:05}.safetensors"
        save_file(noise.tensors(part, torch.float16), file)
    audio = noise.tensors(audio_shapes(config.audio), torch.float32)
    torch.save(audio, originals.hubert / "pytorch_model.bin")
    torch.save(noise.tensors(vision_shapes(config.vision), torch.float16), originals.eva)
    (folder / "eva_config.json").write_text(json.dumps(eva_sizes(config.vision)))
    shapes = lora_shapes(config, LORA_RANK) | projection_shapes(config)
    torch.save({"model": noise.tensors(shapes, torch.float32)}, originals.checkpoint)
    return originals


class Noise:
    """Draws random tensors from one pool, because seven billion new numbers would take minutes."""

    def __init__(self) -> None:
        self._pool = torch.randn(1 << 27, generator=torch.Generator().manual_seed(0))
        self._start = 0

    def tensors(
        self, shapes: Mapping[str, tuple[int, ...]], dtype: torch.dtype
    ) -> dict[str, torch.Tensor]:
        """Return values that keep activations of order one; norms scale by about 1."""
        return dict(self.each({name: (shape, dtype) for name, shape in shapes.items()}))

    def each(
        self, wanted: Mapping[str, tuple[tuple[int, ...], torch.dtype]]
    ) -> Iterator[tuple[str, torch.Tensor]]:
        """Yield such tensors one after the other, each of its own dtype."""
        for name, (shape, dtype) in wanted.items():
            is_scale = ("norm" in name or "ln_" in name) and name.endswith("weight")
            yield name, (self._tensor(shape) + is_scale).to(dtype)

    def _tensor(self, shape: tuple[int, ...]) -> torch.Tensor:
        count = math.prod(shape)
        if self._start + count > len(self._pool):
            self._start = 0
        values = self._pool[self._start : self._start + count]
        if len(values) < count:
            values = values.repeat(math.ceil(count / len(values)))[:count]
        self._start += count
        scale = math.sqrt(math.prod(shape[1:])) if len(shape) > 1 else 100
        return (values / scale).reshape(shape)


def tokenizer(size: int) -> bytes:
    """Return a `tokenizer.model` of exactly `size` pieces, most of which never occur."""
    model: Any = getattr(sentencepiece_model_pb2, "ModelProto")()  # noqa: B009  (made at run time)
    model.ParseFromString(train_tokenizer(_TEXTS, size=600))
    for index in range(len(model.pieces), size):
        model.pieces.add(piece=f"\u2581piece{index}", score=-float(index))
    data = model.SerializeToString()
    assert sentencepiece.SentencePieceProcessor(model_proto=data).GetPieceSize() == size
    return data


def parameters(config: EmotionLlamaConfig) -> dict[str, int]:
    """Return the number of parameters of each part."""

    def count(shapes: Mapping[str, tuple[int, ...]]) -> int:
        return sum(math.prod(shape) for shape in shapes.values())

    return {
        "llama": count(language_shapes(config.text)),
        "vision": count(vision_shapes(config.vision)),
        "hubert": count(audio_shapes(config.audio)),
        "projections": count(projection_shapes(config)),
    }


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m devtools.random_checkpoint", description=__doc__
    )
    parser.add_argument("--out", type=Path, required=True)
    print(json.dumps(parameters(write_midsize(parser.parse_args().out)), indent=2))


if __name__ == "__main__":
    main()
