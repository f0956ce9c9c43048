"""Chooses the size of vLLM's attention cache on a CPU if the operator sets none.

vLLM would take nearly the whole machine for it, even in a container, and leave no memory for later
needs: the first clips, their decoders, other programs.
"""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from emotion_llama_vllm import ARCHITECTURE
from emotion_llama_vllm.config import EmotionLlamaConfig
from emotion_llama_vllm.footprint import Footprint, cached_per_token, stored_bits
from emotion_llama_vllm.hooks.cpu_defaults import RANKS
from emotion_llama_vllm.media.clip import SAMPLING_RATE
from emotion_llama_vllm.memory import Memory, read_memory
from emotion_llama_vllm.model.audio import MOST_SAMPLES, convolution_bytes
from emotion_llama_vllm.settings import MediaSettings
from emotion_llama_vllm.shares import with_reserve

_GIB = 2**30
_SEQUENCES = 128
"""The number of requests that vLLM computes together on CPUs if `max_num_seqs` is not set."""
_MOST_OF_LEFT = 0.5
"""The cache's maximum share of the remaining memory; the rest is for other programs and files."""
_PROCESSES = _GIB
"""The memory for the engine's imports and the server's growth after its start (0.8 GiB)."""
_DECODE_WORKER = _GIB // 8
"""The memory of a decode worker with a large clip."""


class TooLittleMemory(Exception):
    """Reports in one sentence, with the cure, that the memory is too small for one request."""


@dataclass(frozen=True)
class CacheSize:
    """Describes the attention cache of all ranks; sizes are in bytes."""

    all: int
    per_request: int
    """The memory of a request that has the maximum number of tokens."""
    positions: int
    """The maximum number of tokens of a request."""
    ranks: int
    free: int
    """The free memory at the start."""

    @property
    def per_rank(self) -> int:
        """Return the size of each rank's part, in the unit of `--kv-cache-memory-bytes`."""
        return self.all // self.ranks

    def __str__(self) -> str:
        tokens = self.all * self.positions // self.per_request
        return (
            f"The attention cache takes {_gib(self.all)} of the {_gib(self.free)} that are free "
            f"and holds {tokens} tokens, of which a request uses {self.positions} at most; "
            "--kv-cache-memory-bytes sets it."
        )


def default_size(model: str, given: Mapping[str, Any]) -> CacheSize | None:
    """Return the cache size for this machine.

    The result is None on a GPU, if the operator sets a size, and if the model is no checkpoint of
    ours, as vLLM reports that later.

    Args:
        model: the checkpoint's folder, or a repository.
        given: the engine's arguments; vLLM's defaults apply to missing ones.

    Raises:
        TooLittleMemory: there is no room for one request.
    """
    from vllm.platforms import current_platform

    if not current_platform.is_cpu() or _is_named(given):
        return None
    try:
        revision = given.get("revision") or "main"
        config = EmotionLlamaConfig.from_pretrained(model, revision=revision)
    except (OSError, ValueError):
        return None
    if config.architectures != [ARCHITECTURE]:
        return None
    return size_cache(config, given, MediaSettings(), read_memory())


def size_cache(
    config: EmotionLlamaConfig, given: Mapping[str, Any], media: MediaSettings, memory: Memory
) -> CacheSize:
    """Return the size that the requests can use, limited to half of the remaining memory.

    Args:
        config: the checkpoint's configuration.
        given: the engine's arguments.
        media: the settings for decoding and for the length of sound.
        memory: the total and the free memory.

    Raises:
        TooLittleMemory: the remaining memory is less than one request needs.
    """
    engines = given.get("data_parallel_size") or 1
    length = given.get("max_model_len") or -1
    positions = length if length > 0 else config.text.max_position_embeddings
    per_request = positions * _bytes_per_token(config, given)
    least = engines * per_request
    rest = _bytes_of_the_rest(config, given, media, engines)
    left = memory.free - rest
    if left < least:
        raise TooLittleMemory(
            f"{_gib(memory.free)} of memory are free, and the server needs {_gib(rest)} beside "
            f"{_gib(least)} for a request of {positions} tokens; lower --max-model-len or "
            "--max-audio-seconds, or give the machine, or its container, more memory."
        )
    usable = least * (given.get("max_num_seqs") or _SEQUENCES)
    most = max(least, int(left * _MOST_OF_LEFT))
    ranks = math.prod(given.get(name) or 1 for name in RANKS)
    return CacheSize(min(usable, most), per_request, positions, ranks, memory.free)


def _is_named(given: Mapping[str, Any]) -> bool:
    """Return whether the operator sets a size, in any of vLLM's ways."""
    from vllm.engine.arg_utils import EngineArgs

    share = EngineArgs.gpu_memory_utilization
    return (
        given.get("kv_cache_memory_bytes") is not None
        or given.get("num_gpu_blocks_override") is not None
        or given.get("gpu_memory_utilization", share) != share
        or bool(os.environ.get("VLLM_CPU_KVCACHE_SPACE"))
    )


def _bytes_per_token(config: EmotionLlamaConfig, given: Mapping[str, Any]) -> int:
    """Return the size in bytes of one token's keys and values in all layers."""
    name = given.get("kv_cache_dtype", "auto")
    # The names that torch does not know are formats with one byte per value, or less.
    kept = _dtype(config, given) if name == "auto" else getattr(torch, name, torch.uint8)
    return cached_per_token(config) * kept.itemsize


def _bytes_of_the_rest(
    config: EmotionLlamaConfig, given: Mapping[str, Any], media: MediaSettings, engines: int
) -> int:
    """Return the memory in bytes that the busy server needs beside the cache."""
    bits = stored_bits(config) or (8 if given.get("quantization") else None)
    weights = Footprint(config, _dtype(config, given)).weights(bits)
    samples = max(MOST_SAMPLES, int(media.max_audio_seconds * SAMPLING_RATE))
    engine = weights + convolution_bytes(config.audio, samples)
    workers = with_reserve(media.decode_workers) * _DECODE_WORKER
    return engines * engine + _PROCESSES + workers + int(media.clip_cache_mb * 2**20)


def _dtype(config: EmotionLlamaConfig, given: Mapping[str, Any]) -> torch.dtype:
    name = given.get("dtype", "auto")
    kept = config.dtype if name == "auto" else getattr(torch, str(name), None)
    return kept if isinstance(kept, torch.dtype) else torch.float32


def _gib(count: int) -> str:
    return f"{count / _GIB:.1f} GiB"
