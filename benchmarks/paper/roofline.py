"""What a request is made of: floating-point operations, and bytes to fetch from memory.

The ViT sees a picture, HuBERT hears a sound, the Llama reads the prompt (prefill) and writes the
answer (decode: a step for each token, which the requests of a batch share). A machine's two speeds
make seconds of each: a roofline.
"""

from dataclasses import dataclass

from pydantic import BaseModel

from emotion_llama_vllm.config import EmotionLlamaConfig
from emotion_llama_vllm.media.clip import SAMPLING_RATE
from emotion_llama_vllm.media.decode.npz import FEATURE_NAMES

FLOAT32_BYTES = 4


@dataclass(frozen=True)
class Work:
    """Floating-point operations; weights and elements of the attention cache to fetch."""

    flops: float
    weights: float
    cached: float = 0


class Speed(BaseModel):
    """What a machine reaches, in operations and bytes a second."""

    flops: float
    float32_flops: float
    """Of HuBERT, which computes in float32."""
    bandwidth: float
    overlaps: bool
    """Whether it fetches while it computes, as GPUs do. On a CPU the cores that compute are those
    that wait for memory, and the sum of both times is nearer."""
    weight_bytes: int = 2
    kv_bytes: int = 2

    def seconds(self, work: Work) -> float:
        """For work in the weights' precision."""
        fetched = work.weights * self.weight_bytes + work.cached * self.kv_bytes
        return self._roofline(work.flops / self.flops, fetched / self.bandwidth)

    def float32_seconds(self, work: Work) -> float:
        """For work in float32."""
        fetched = work.weights * FLOAT32_BYTES
        return self._roofline(work.flops / self.float32_flops, fetched / self.bandwidth)

    def _roofline(self, computing: float, fetching: float) -> float:
        return max(computing, fetching) if self.overlaps else computing + fetching


def seeing(config: EmotionLlamaConfig) -> Work:
    """A picture through the ViT, and all embeddings through their projections."""
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
    """A sound through HuBERT: convolutions to about 50 frames a second, then a transformer."""
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
    """`new` tokens of a prompt behind `before` cached ones; the last one is answered."""
    pairs = new * before + new * (new + 1) / 2
    return Work(
        flops=2 * (new * _layers(config) + _head(config)) + _attention(config) * pairs,
        weights=_layers(config) + _head(config),
        cached=before * cached_per_token(config),
    )


def writing(config: EmotionLlamaConfig, batch: int, context: float) -> Work:
    """A step that writes a token of each of `batch` answers, behind `context` tokens each."""
    weights = _layers(config) + _head(config)
    return Work(
        flops=batch * (2 * weights + _attention(config) * context),
        weights=weights,
        cached=batch * context * cached_per_token(config),
    )


def cached_per_token(config: EmotionLlamaConfig) -> int:
    """Elements of keys and values that a token leaves in the attention cache."""
    c = config.text
    return 2 * c.num_hidden_layers * _kv_heads(config) * _head_size(config)


def _layers(config: EmotionLlamaConfig) -> int:
    """Weights of the Llama's matrices, without those of embedding and head."""
    c = config.text
    heads = 2 * c.num_attention_heads + 2 * _kv_heads(config)
    a_layer = c.hidden_size * (heads * _head_size(config) + 3 * c.intermediate_size)
    return c.num_hidden_layers * a_layer


def _head(config: EmotionLlamaConfig) -> int:
    return config.text.vocab_size * config.text.hidden_size


def _attention(config: EmotionLlamaConfig) -> int:
    """Operations between one token and one that it attends to."""
    c = config.text
    return 4 * c.num_hidden_layers * c.num_attention_heads * _head_size(config)


def _kv_heads(config: EmotionLlamaConfig) -> int:
    return config.text.num_key_value_heads or config.text.num_attention_heads


def _head_size(config: EmotionLlamaConfig) -> int:
    return config.text.hidden_size // config.text.num_attention_heads
