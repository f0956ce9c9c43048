"""Says whether a checkpoint fits on a GPU of some size, and with which flags."""

import re
from pathlib import Path

from emotion_llama_vllm.checkpoint.doctor import Finding
from emotion_llama_vllm.checkpoint.scheme import Scheme
from emotion_llama_vllm.config import EmotionLlamaConfig
from emotion_llama_vllm.footprint import (
    GIB,
    MEMORY_SHARE,
    RESERVE,
    SOLD_BYTES,
    Footprint,
    Plan,
    stored_bits,
)

ONLINE = "fp8_per_tensor"
"""The quantization at the start, to 8 bits, that suits all GPUs from compute capability 7.5 on."""
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:GB|GiB|G)?", re.IGNORECASE)
_SEQUENCES, _FEWER_SEQUENCES = 80, 16
"""The `--max-num-seqs` of large and of small GPUs; with fewer, vLLM's CUDA graphs are smaller."""


def gigabytes(size: str) -> float:
    """Return the number in a GPU's size as it is sold, such as 12GB.

    Raises:
        ValueError: it is no size.
    """
    found = _SIZE.fullmatch(size.strip())
    if found is None or not float(found[1]):
        raise ValueError(f"{size} is no size of a GPU; name it as it is sold, such as 12GB")
    return float(found[1])


def best_plan(config: EmotionLlamaConfig, footprint: Footprint, size: float) -> Plan | None:
    """Return the plan with the most bits that fits into so many GB, or None if none does."""
    stored = stored_bits(config)
    choices = (16, 8, 4) if stored is None else (stored,)
    plans = (footprint.plan(size * SOLD_BYTES, bits) for bits in choices)
    return next((made for made in plans if made is not None), None)


def flags(config: EmotionLlamaConfig, chosen: Plan) -> dict[str, str | int | float]:
    """Return the flags of a plan, without their dashes."""
    online = chosen.bits == 8 and not config.is_quantized
    return {
        **({"quantization": ONLINE} if online else {}),
        "gpu-memory-utilization": MEMORY_SHARE,
        "max-model-len": chosen.limits.max_model_len,
        "max-num-seqs": _SEQUENCES if chosen.bits == 16 else _FEWER_SEQUENCES,
        "max-audio-seconds": chosen.limits.max_audio_seconds,
    }


def examine_gpu(folder: Path, size: float) -> Finding:
    """Say whether a checkpoint that was examined fits on a GPU of so many GB."""
    config = EmotionLlamaConfig.from_pretrained(folder)
    footprint = Footprint(config)
    chosen = best_plan(config, footprint, size)
    if chosen is None:
        enough = next(n for n in range(1, 1000) if best_plan(config, footprint, n) is not None)
        words = f"it does not fit into {size:g} GB by our arithmetic; take a GPU of {enough} GB"
        return Finding(False, "gpu", f"{words} or more.")
    needs = (
        f"it fits into {size:g} GB by our arithmetic: {chosen.weights / GIB:.1f} GiB of weights "
        f"with {chosen.bits} bits in the Llama, {chosen.sound / GIB:.1f} GiB to encode sound, "
        f"{RESERVE / GIB:.2f} GiB assumed for CUDA and vLLM, and an attention cache of "
        f"{chosen.cache / GIB:.1f} GiB for {chosen.live_requests} usual requests at a time."
    )
    words = " ".join(f"--{name} {value}" for name, value in flags(config, chosen).items())
    served = folder
    if chosen.bits == 4 and not config.is_quantized:
        served = folder.with_name(f"{folder.name}-{Scheme.W4A16}")
        make = f"emotion-llama quantize {folder} --out {served} --scheme {Scheme.W4A16}"
        needs += f" Make a copy with 4 bits: `{make}`."
    return Finding(True, "gpu", f"{needs} Serve it: `emotion-llama serve {served} {words}`.")
