"""Emotion-LLaMA as a vLLM model: importing this package is cheap, `register` does the work."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from emotion_llama_vllm.offline import EmotionLlama

__all__ = ["ARCHITECTURE", "EmotionLlama", "register"]

ARCHITECTURE = "EmotionLlamaForConditionalGeneration"


def register() -> None:
    """Make vLLM know the model, its config and its media handling.

    The `vllm.general_plugins` entry point: vLLM calls it in the API server, in the engine core
    and in every worker, sometimes twice, so it is idempotent. It fills registries, and has the
    processes of a server's engine end with their server.
    """
    from transformers import AutoConfig
    from vllm import ModelRegistry

    from emotion_llama_vllm.config import EmotionLlamaConfig
    from emotion_llama_vllm.hooks import connector, loader  # noqa: F401  (they register themselves)
    from emotion_llama_vllm.hooks.orphan import end_with_server

    end_with_server()
    AutoConfig.register(EmotionLlamaConfig.model_type, EmotionLlamaConfig, exist_ok=True)
    if ARCHITECTURE not in ModelRegistry.get_supported_archs():
        ModelRegistry.register_model(
            ARCHITECTURE, f"emotion_llama_vllm.model.emotion_llama:{ARCHITECTURE}"
        )


def __getattr__(name: str) -> Any:
    """`EmotionLlama` is imported when it is asked for."""
    if name == "EmotionLlama":
        from emotion_llama_vllm.offline import EmotionLlama

        return EmotionLlama
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
