"""A small checkpoint with random weights of the right shapes: `python -m demo.random_checkpoint`.

It answers with random words; everything around them is real. Tests use it too.
"""

import argparse
import json
import math
from collections.abc import Iterator
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import HubertModel, LlamaForCausalLM, PreTrainedTokenizerFast

from emotion_llama_vllm.checkpoint.folder import write_checkpoint
from emotion_llama_vllm.checkpoint.tokenizer import BYTE_TOKENS, SPECIAL_TOKENS, build_tokenizer
from emotion_llama_vllm.config import EmotionLlamaConfig, EvaVisionConfig

_TEXTS = (
    "<video> </video> <feature><FeatureHere></feature> [INST] [/INST] [emotion] [reason]",
    "The person in video says: Won't you? Impossible! Please determine which emotion label in the "
    "video represents: neutral, angry, happy, sad, worried, surprise, fear, contempt, doubt.",
    "What are the facial expressions and vocal tone used in the video? What is the intended "
    "meaning behind the words? Which emotion does this reflect? The person in the video frowns, "
    "smiles, raises the brows, speaks with a low and slow voice, so the emotion is sad.",
)


def small_config(vocab_size: int, **vision: int) -> EmotionLlamaConfig:
    """The 7B's architecture with small numbers; heads of sizes that vLLM's backends take."""
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
            **vision,
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
            "mask_time_prob": 0.0,
        },
    )


def train_tokenizer(texts: tuple[str, ...], size: int) -> PreTrainedTokenizerFast:
    """Learn at most `size` pieces from `texts`, with byte fallback for all else."""
    learner = Tokenizer(models.BPE())
    learner.normalizer = normalizers.Sequence(
        [normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")]
    )
    learner.pre_tokenizer = pre_tokenizers.Split("\u2581", "merged_with_next")
    learned = size - len(SPECIAL_TOKENS) - len(BYTE_TOKENS)
    learner.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=learned))
    pieces = sorted(learner.get_vocab(), key=learner.get_vocab().__getitem__)
    vocabulary = {p: i for i, p in enumerate((*SPECIAL_TOKENS, *BYTE_TOKENS, *pieces))}
    merges = json.loads(learner.to_str())["model"]["merges"]
    return build_tokenizer(vocabulary, [(left, right) for left, right in merges])


def random_tensors(config: EmotionLlamaConfig, seed: int) -> dict[str, torch.Tensor]:
    """Draw every tensor of a checkpoint of these sizes, in float32."""
    torch.manual_seed(seed)
    llama = LlamaForCausalLM(config.text).state_dict()
    hubert = HubertModel(config.audio).state_dict()
    return {
        **{f"language_model.{name}": tensor for name, tensor in llama.items()},
        **{f"audio_tower.{name}": tensor for name, tensor in hubert.items()},
        **{f"vision_tower.{name}": _draw(shape) for name, shape in _vision(config.vision)},
        "vision_tower.ln_vision.weight": torch.ones(config.vision.hidden_size),
        "vision_tower.ln_vision.bias": torch.zeros(config.vision.hidden_size),
        **{name: _draw(shape) for name, shape in _projections(config)},
    }


def _draw(shape: tuple[int, ...]) -> torch.Tensor:
    """Weights and biases that keep the activations of order one."""
    fan_in = math.prod(shape[1:]) if len(shape) > 1 else 100
    return torch.randn(shape) / math.sqrt(fan_in)


def _vision(config: EvaVisionConfig) -> Iterator[tuple[str, tuple[int, ...]]]:
    width, inner, patch = config.hidden_size, config.intermediate_size, config.patch_size
    yield "patch_embed.proj.weight", (width, 3, patch, patch)
    yield "patch_embed.proj.bias", (width,)
    yield "cls_token", (1, 1, width)
    yield "pos_embed", (1, config.num_patches + 1, width)
    block = {
        "norm1.weight": (width,),
        "norm1.bias": (width,),
        "attn.qkv.weight": (3 * width, width),
        "attn.q_bias": (width,),
        "attn.v_bias": (width,),
        "attn.proj.weight": (width, width),
        "attn.proj.bias": (width,),
        "norm2.weight": (width,),
        "norm2.bias": (width,),
        "mlp.fc1.weight": (inner, width),
        "mlp.fc1.bias": (inner,),
        "mlp.fc2.weight": (width, inner),
        "mlp.fc2.bias": (width,),
    }
    for index in range(config.num_hidden_layers):
        yield from ((f"blocks.{index}.{name}", shape) for name, shape in block.items())


def _projections(config: EmotionLlamaConfig) -> Iterator[tuple[str, tuple[int, ...]]]:
    sizes = {
        "llama_proj": config.vision.hidden_size * config.patches_per_embedding,
        "feats_llama_proj1": config.feature_size,
        "feats_llama_proj2": config.feature_size,
        "feats_llama_proj3": config.feature_size,
        "cls_tk_llama_proj": config.vision.hidden_size,
    }
    for name, size in sizes.items():
        yield f"{name}.weight", (config.text.hidden_size, size)
        yield f"{name}.bias", (config.text.hidden_size,)


def write_random_checkpoint(
    out: Path, *, seed: int = 0, dtype: torch.dtype = torch.bfloat16, **vision: int
) -> EmotionLlamaConfig:
    """Write a checkpoint folder and return its config."""
    tokenizer = train_tokenizer(_TEXTS, size=512)
    config = small_config(len(tokenizer), **vision)
    config.dtype = dtype
    tensors = random_tensors(config, seed)
    # HuBERT and ln_vision compute in float32, so they are kept in it.
    kept = ("audio_tower.", "vision_tower.ln_vision.")
    stored = {n: t if n.startswith(kept) else t.to(dtype) for n, t in tensors.items()}
    write_checkpoint(out, config=config, tensors=stored, tokenizer=tokenizer)
    return config


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    write_random_checkpoint(arguments.out, seed=arguments.seed)
    print(f"Wrote {arguments.out}")


if __name__ == "__main__":
    main()
