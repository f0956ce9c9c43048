"""Calculates how much memory of a GPU a checkpoint needs, and how many requests fit beside it.

It is arithmetic: what CUDA and vLLM take for themselves is assumed.
"""

import math
from dataclasses import dataclass

import torch

from emotion_llama_vllm.checkpoint.layout import is_linear, kept_dtype, tensor_shapes
from emotion_llama_vllm.config import EmotionLlamaConfig
from emotion_llama_vllm.media.clip import SAMPLING_RATE
from emotion_llama_vllm.model.audio import MOST_SAMPLES, convolution_bytes

GIB = 2**30
MEMORY_SHARE = 0.92
"""The `--gpu-memory-utilization` of the configurations of the 7B."""
RESERVE = 1.25 * GIB
"""The memory assumed for CUDA's context and graphs and for activations other than HuBERT's."""
TEXT_TOKENS, ANSWER_TOKENS = 50, 128
"""The tokens of a usual prompt beside its clip, and of a usual answer."""
BATCHED_TOKENS = 2048
"""The `--max-num-batched-tokens` of vLLM's server on GPUs with less than 70 GiB."""
SOLD_BYTES = 0.9375 * GIB
"""The bytes of a "GB" of a GPU as it is sold: what is left of it with error correction (an L4 and a
T4 show so much in nvidia-smi; others a little more)."""
_SCALE_BITS = 16 / 128
"""The bits of a weight's share in its scale, which 128 weights have in common."""
_SPARE = 1.15
"""The least attention cache, in requests of `max_model_len` tokens; vLLM refuses less than one."""
_FEWEST_REQUESTS = 4


@dataclass(frozen=True)
class Limits:
    """Holds the flags that decide how much memory requests need."""

    max_model_len: int
    max_audio_seconds: int


LADDER = (Limits(2048, 120), Limits(2048, 60), Limits(1024, 60))
"""The limits to try, from the original's to the least that its prompts need."""


@dataclass(frozen=True)
class Plan:
    """Describes how a checkpoint is served in some memory; sizes are in bytes."""

    bits: int
    """The bits of a weight of the Llama's layers."""
    limits: Limits
    weights: int
    sound: int
    """The memory to encode the sounds that vLLM computes together at its start."""
    cache: int
    """The memory that is left for the attention cache."""
    request: int
    """The attention cache of a usual request."""

    @property
    def live_requests(self) -> int:
        """Return how many usual requests have their whole attention cache at a time."""
        return self.cache // self.request


class Footprint:
    """Counts a checkpoint's weights once, to plan with them for memories of any size."""

    def __init__(self, config: EmotionLlamaConfig, dtype: torch.dtype = torch.bfloat16) -> None:
        """Count the weights; encoders of sound and faces are in float32, all else in `dtype`."""
        self._config = config
        self._linear = self._others = 0
        self._bits = 8 * dtype.itemsize
        for name, shape in tensor_shapes(config).items():
            if is_linear(name):
                self._linear += math.prod(shape)
            else:
                self._others += math.prod(shape) * kept_dtype(name, dtype).itemsize

    def weights(self, bits: int | None = None) -> int:
        """Return the bytes of all weights in memory.

        Args:
            bits: the bits of a weight of the Llama's linear layers; None stands for those of the
                dtype.
        """
        if bits is None or bits >= self._bits:
            return self._others + self._linear * self._bits // 8
        return self._others + int(self._linear * (bits + _SCALE_BITS) / 8)

    def plan(self, memory: float, bits: int) -> Plan | None:
        """Return the plan with the widest limits that fit, or None if none does.

        Args:
            memory: the GPU's memory in bytes.
            bits: the bits of a weight of the Llama's linear layers: 16, 8 or 4.
        """
        config, weights = self._config, self.weights(bits)
        clips = BATCHED_TOKENS // config.embeddings_per_clip
        per_token = cached_per_token(config) * torch.bfloat16.itemsize
        request = (config.embeddings_per_clip + TEXT_TOKENS + ANSWER_TOKENS) * per_token
        for limits in LADDER:
            sound = sound_bytes(config, clips, limits.max_audio_seconds)
            cache = int(memory * MEMORY_SHARE - RESERVE) - weights - sound
            made = Plan(bits, limits, weights, sound, cache, request)
            least = _SPARE * limits.max_model_len * per_token
            if cache >= least and made.live_requests >= _FEWEST_REQUESTS:
                return made
        return None


def stored_bits(config: EmotionLlamaConfig) -> int | None:
    """Return the bits of a weight of the Llama's layers, None if they are not quantized."""
    if not config.is_quantized:
        return None
    quantized = config.quantization_config
    groups = quantized.get("config_groups", {}).values()
    of_groups = [group["weights"]["num_bits"] for group in groups]
    return quantized.get("bits") or max(of_groups, default=8)


def sound_bytes(config: EmotionLlamaConfig, clips: int, seconds: float) -> int:
    """Return the bytes to encode the sounds of several clips together.

    Sounds that are too long for a batch of `HubertMean` are encoded one at a time.
    """
    together = min(clips * seconds, max(seconds, MOST_SAMPLES / SAMPLING_RATE))
    return convolution_bytes(config.audio, int(together * SAMPLING_RATE))


def cached_per_token(config: EmotionLlamaConfig) -> int:
    """Return how many elements of keys and values a token adds to the attention cache."""
    text = config.text
    heads = text.num_key_value_heads or text.num_attention_heads
    head_size = text.head_dim or text.hidden_size // text.num_attention_heads
    return 2 * text.num_hidden_layers * heads * head_size
