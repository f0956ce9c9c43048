"""Counts the floating-point operations and the fetched bytes of a request.

The ViT encodes a picture, HuBERT encodes a sound, the Llama reads the prompt (prefill) and writes
the answer (decode: a step for each token, which the requests of a batch share). A machine's two
speeds turn them into seconds: a roofline.
"""

from dataclasses import dataclass

from pydantic import BaseModel

from emotion_llama_vllm.config import EmotionLlamaConfig
from emotion_llama_vllm.footprint import cached_per_token
from emotion_llama_vllm.media.clip import SAMPLING_RATE
from emotion_llama_vllm.media.decode.npz import FEATURE_NAMES

FLOAT32_BYTES = 4


@dataclass(frozen=True)
class Work:
    """Counts floating-point operations, and fetched weights and elements of the attention cache."""

    flops: float
    weights: float
    cached: float = 0


class Speed(BaseModel):
    """Describes a machine's speed, in operations and bytes a second."""

    flops: float
    float32_flops: float
    """The operations a second of HuBERT, which computes in float32."""
    bandwidth: float
    overlaps: bool
    """True if the machine fetches while it computes, as GPUs do. On a CPU the computing cores also
    wait for memory, so the sum of both times is more accurate."""
    weight_bytes: int = 2
    kv_bytes: int = 2

    def seconds(self, work: Work) -> float:
        """Return the seconds for work in the weights' precision."""
        fetched = work.weights * self.weight_bytes + work.cached * self.kv_bytes
        return self._roofline(work.flops / self.flops, fetched / self.bandwidth)

    def float32_seconds(self, work: Work) -> float:
        """Return the seconds for work in float32."""
        fetched = work.weights * FLOAT32_BYTES
        return self._roofline(work.flops / self.float32_flops, fetched / self.bandwidth)

    def _roofline(self, computing: float, fetching: float) -> float:
        return max(computing, fetching) if self.overlaps else computing + fetching


def seeing(config: EmotionLlamaConfig) -> Work:
    """Return the work for a picture in the ViT, and for all embeddings in their projections."""
    c, llama = config.vision, config.text.hidden_size
    tokens = 1 + c.num_patches
    blocks = c.num_hidden_layers * c.hidden_size * (4 * c.hidden_size + 2 * c.intermediate_size)
    patch = 3 * c.patch_size**2 * c.hidden_size
    attention = 4 * c.num_hidden_layers * c.hidden_size * tokens**2
    features = len(FEATURE_NAMES) * config.feature_size
    return Work(
        flops=2 * (tokens * blocks + c.num_patches * patch)
        + attention
        + 2 * llama * (tokens * c.hidden_size + features),
        weights=blocks
        + patch
        + llama * ((config.patches_per_embedding + 1) * c.hidden_size + features),
    )


def hearing(config: EmotionLlamaConfig, seconds: float) -> Work:
    """Return HuBERT's work for a sound: convolutions to about 50 frames a second, a transformer."""
    c = config.audio
    flops, weights, frames, channels = 0, 0, round(seconds * SAMPLING_RATE), 1
    for out, kernel, stride in zip(c.conv_dim, c.conv_kernel, c.conv_stride, strict=True):
        frames = (frames - kernel) // stride + 1
        flops += 2 * frames * channels * out * kernel
        weights += channels * out * kernel
        channels = out
    width = c.hidden_size
    positions = width**2 // c.num_conv_pos_embedding_groups * c.num_conv_pos_embeddings
    layers = c.num_hidden_layers * width * (4 * width + 2 * c.intermediate_size)
    behind = channels * width + positions + layers
    attention = 4 * c.num_hidden_layers * width * frames**2
    return Work(flops + 2 * frames * behind + attention, weights + behind)


def reading(config: EmotionLlamaConfig, new: int, before: int = 0) -> Work:
    """Return the work for `new` tokens of a prompt after `before` cached ones; one is sampled."""
    pairs = new * before + new * (new + 1) / 2
    return Work(
        flops=2 * (new * _layers(config) + _head(config)) + _attention(config) * pairs,
        weights=_layers(config) + _head(config),
        cached=before * cached_per_token(config),
    )


def writing(config: EmotionLlamaConfig, batch: int, context: float) -> Work:
    """Return the work of a step that writes one token of each of `batch` answers.

    Each answer has `context` tokens before.
    """
    weights = _layers(config) + _head(config)
    return Work(
        flops=batch * (2 * weights + _attention(config) * context),
        weights=weights,
        cached=batch * context * cached_per_token(config),
    )


def _layers(config: EmotionLlamaConfig) -> int:
    """Return the number of weights in the Llama's matrices, without embedding and head."""
    c = config.text
    heads = 2 * c.num_attention_heads + 2 * _kv_heads(config)
    a_layer = c.hidden_size * (heads * _head_size(config) + 3 * c.intermediate_size)
    return c.num_hidden_layers * a_layer


def _head(config: EmotionLlamaConfig) -> int:
    return config.text.vocab_size * config.text.hidden_size


def _attention(config: EmotionLlamaConfig) -> int:
    """Return the operations between one token and one that it attends to."""
    c = config.text
    return 4 * c.num_hidden_layers * c.num_attention_heads * _head_size(config)


def _kv_heads(config: EmotionLlamaConfig) -> int:
    return config.text.num_key_value_heads or config.text.num_attention_heads


def _head_size(config: EmotionLlamaConfig) -> int:
    return config.text.hidden_size // config.text.num_attention_heads
