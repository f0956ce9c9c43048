"""What vLLM reads from the environment, before it is imported."""

import atexit
import os
import pwd
import shutil
import tempfile
from pathlib import Path

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

_MEMORY = "/dev/shm"  # noqa: S108
"""A folder in memory, for a machine whose disks are full or read-only."""


def set_environment() -> None:
    """Set what is not set yet, and add our plugins to those that are wanted."""
    _find_places()
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    wanted = [name for name in os.environ.get("VLLM_PLUGINS", "").split(",") if name]
    os.environ["VLLM_PLUGINS"] = ",".join(dict.fromkeys([*wanted, *PLUGINS]))


def _find_places() -> None:
    """See to it that there are a folder for temporary files, a home, and a user's name.

    vLLM and what it imports keep caches under the home, make sockets among the temporary files and
    ask who runs them. A container may have a read-only root and a user without an entry.
    """
    try:
        tempfile.gettempdir()
    except FileNotFoundError:  # no folder, or each of them is full
        os.environ["TMPDIR"] = _MEMORY
    home = os.path.expanduser("~")  # noqa: PTH111  (Path raises where there is none)
    if not os.access(home, os.W_OK | os.X_OK):
        if (models := Path(home, ".cache", "huggingface")).is_dir():
            os.environ.setdefault("HF_HOME", str(models))
        os.environ["HOME"] = tempfile.mkdtemp(prefix="emotion-llama-home-")
        atexit.register(shutil.rmtree, os.environ["HOME"], ignore_errors=True)
    try:
        pwd.getpwuid(os.getuid())
    except KeyError:
        os.environ.setdefault("USER", f"user-{os.getuid()}")


def compile_nothing() -> None:
    """Else vLLM's sampler compiles C++ at the first request: many seconds, and a compiler."""
    os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")
