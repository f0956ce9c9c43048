"""Registers Emotion-LLaMA with vLLM; the import is cheap, `register` does the work."""

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emotion_llama_vllm.offline import LocalEmotionLLaMA

    EmotionLlama = LocalEmotionLLaMA

__all__ = ["ARCHITECTURE", "EmotionLlama", "LocalEmotionLLaMA", "cpu_platform", "register"]

ARCHITECTURE = "EmotionLlamaForConditionalGeneration"
VIDEO_PROCESSOR_TYPE = "EmotionLlamaVideoProcessor"
"""The name by which a checkpoint selects our video loader."""
_CPU_PLATFORM = "vllm.platforms.cpu.CpuPlatform"


def register() -> None:
    """Register the model, its config and its media handling with vLLM.

    This is the `vllm.general_plugins` entry point. vLLM calls it in the API server, in the engine
    core and in every worker, sometimes twice, so it is idempotent. It fills registries, and makes
    the processes of a server's engine end together with the server.
    """
    from transformers import AutoConfig
    from vllm import ModelRegistry

    from emotion_llama_vllm.config import EmotionLlamaConfig
    from emotion_llama_vllm.hooks import connector, loader  # noqa: F401  (imports register the classes)
    from emotion_llama_vllm.hooks.orphan import end_with_server

    end_with_server()
    AutoConfig.register(EmotionLlamaConfig.model_type, EmotionLlamaConfig, exist_ok=True)
    if ARCHITECTURE not in ModelRegistry.get_supported_archs():
        ModelRegistry.register_model(
            ARCHITECTURE, f"emotion_llama_vllm.model.emotion_llama:{ARCHITECTURE}"
        )


def cpu_platform() -> str | None:
    """Name the platform of a server on a machine without a GPU, else None.

    This is the `vllm.platform_plugins` entry point.
    """
    from vllm.platforms import builtin_platform_plugins

    from emotion_llama_vllm.hooks.orphan import SERVER_PID

    if SERVER_PID in os.environ and builtin_platform_plugins["cpu"]() == _CPU_PLATFORM:
        return "emotion_llama_vllm.hooks.cpu_platform.ForkingCpuPlatform"
    return None


def __getattr__(name: str) -> Any:
    """Import `LocalEmotionLLaMA` at its first use, as it is slow; `EmotionLlama` is its old name.

    Raises:
        AttributeError: the package has no such name.
    """
    if name in ("LocalEmotionLLaMA", "EmotionLlama"):
        from emotion_llama_vllm.offline import LocalEmotionLLaMA

        return LocalEmotionLLaMA
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
