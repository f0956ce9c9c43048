"""What vLLM reads from the environment, before it is imported."""

import os

PLUGINS = ("emotion_llama", "emotion_llama_api")
"""Entry points: the model's, and the routes'. `VLLM_PLUGINS` must list both."""

_ENVIRONMENT = {
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_MEDIA_CONNECTOR": "emotion_llama",
    # The penalty over generated tokens is a logits processor of the V1 runner.
    "VLLM_USE_V2_MODEL_RUNNER": "0",
    # On CPU a compiled kernel is kept for each length of sound, 1024 of them by default: the
    # memory of the engine's worker grew for thousands of distinct clips.
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "128",
    "LRU_CACHE_CAPACITY": "128",
}


def set_environment() -> None:
    """Set what is not set yet, and add our plugins to those that are wanted."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    wanted = [name for name in os.environ.get("VLLM_PLUGINS", "").split(",") if name]
    os.environ["VLLM_PLUGINS"] = ",".join(dict.fromkeys([*wanted, *PLUGINS]))


def compile_nothing() -> None:
    """Else vLLM's sampler compiles C++ at the first request: many seconds, and a compiler."""
    os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")
