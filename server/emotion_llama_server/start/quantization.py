"""Refuses a quantization that the device cannot compute, or that would change nothing."""

from argparse import Namespace
from pathlib import Path

from vllm.config.quantization import ONLINE_QUANT_SHORTHAND_NAMES, resolve_quantization_config
from vllm.platforms import current_platform

from emotion_llama_server.environment import StartError
from emotion_llama_vllm.config import EmotionLlamaConfig

ON_CPUS = "fp8_per_channel"
"""The only quantization at the start that vLLM 0.32 computes on a processor without AMX."""
_OLD_NAMES = {"fp8": "fp8_per_tensor"}
_CAPABILITY = {"fp8_per_channel": 89}
"""The least capability of a GPU, where it is more than vLLM checks before the engine starts."""
_INSTEAD = "or serve a copy that `emotion-llama quantize` wrote"


def check_quantization(args: Namespace) -> None:
    """Refuse a quantization that cannot work, which the engine would tell in a traceback.

    Raises:
        StartError: the device, the data type or the checkpoint does not suit it.
    """
    folder = Path(args.model)
    config = EmotionLlamaConfig.from_pretrained(folder) if folder.is_dir() else None
    if args.quantization is not None:
        _check_flag(args.quantization, config)
    if config is not None and config.is_quantized and current_platform.is_cpu():
        _check_on_cpus(config, args.dtype)


def _check_flag(given: str, config: EmotionLlamaConfig | None) -> None:
    flag, name = f"--quantization {given}", _OLD_NAMES.get(given, given)
    if name not in ONLINE_QUANT_SHORTHAND_NAMES:
        if config is not None and not config.is_quantized:
            raise StartError(
                f"{flag} reads weights that are quantized already, and this checkpoint's are not; "
                f"use fp8_per_tensor on a GPU, {ON_CPUS} without one, {_INSTEAD}."
            )
        return
    online = resolve_quantization_config(name, None)
    if online is not None and online.linear is None and online.targets is None:
        raise StartError(
            f"{flag} quantizes mixtures of experts only, so nothing of this model; "
            f"use fp8_per_tensor on a GPU, {ON_CPUS} without one, {_INSTEAD}."
        )
    if current_platform.is_cpu() and name != ON_CPUS:
        raise StartError(
            f"{flag} needs a GPU; without one use {ON_CPUS}, {_INSTEAD} as w8a8 or w4a16."
        )
    least = _CAPABILITY.get(name, 0)
    if not current_platform.is_cpu() and not current_platform.has_device_capability(least):
        raise StartError(
            f"{flag} needs a GPU with compute capability {least // 10}.{least % 10}; "
            f"use fp8_per_tensor, {_INSTEAD}."
        )


def _check_on_cpus(config: EmotionLlamaConfig, dtype: str) -> None:
    """Refuse packed weights of 8 bits, and computing in float32 with those of 4."""
    quantized = config.quantization_config
    if quantized.get("format") != "pack-quantized":
        return
    groups = quantized["config_groups"].values()
    if any(group["weights"]["num_bits"] != 4 for group in groups):
        raise StartError(
            "vLLM computes this checkpoint's packed 8-bit weights (w8a16) on GPUs only; "
            "without one serve a copy that `emotion-llama quantize` wrote as w8a8 or w4a16."
        )
    if dtype == "float32" or (dtype == "auto" and str(config.dtype) == "torch.float32"):
        raise StartError(
            "vLLM computes this checkpoint's 4-bit weights in 16 bits only; add --dtype bfloat16."
        )
