"""Sets the environment variables that vLLM reads; run it before the import of vLLM."""

import atexit
import os
import pwd
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

PLUGINS = ("emotion_llama", "emotion_llama_api", "emotion_llama_cpu")
"""The entry points of the model, the routes and the platform. `VLLM_PLUGINS` must list them."""

_ENVIRONMENT = {
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_MEDIA_CONNECTOR": "emotion_llama",
    # The penalty on generated tokens is a logits processor of the V1 runner.
    "VLLM_USE_V2_MODEL_RUNNER": "0",
    # On CPUs oneDNN keeps a compiled kernel for each length of sound, by default 1024 of them:
    # the memory of the engine's worker grew for thousands of distinct clips.
    "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "128",
    "LRU_CACHE_CAPACITY": "128",
}

_NO_COMPILER = "TORCHDYNAMO_DISABLE"

_MEMORY = "/dev/shm"  # noqa: S108
"""The folder in memory to use if the machine's disks are full or read-only."""


def set_environment() -> None:
    """Set the variables that are not set yet, and add our plugins to the operator's list."""
    _find_places()
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    wanted = [name for name in os.environ.get("VLLM_PLUGINS", "").split(",") if name]
    os.environ["VLLM_PLUGINS"] = ",".join(dict.fromkeys([*wanted, *PLUGINS]))


def _find_places() -> None:
    """Provide a folder for temporary files, a home folder and a user name if one is missing.

    vLLM and its dependencies keep caches in the home folder, create sockets among the temporary
    files and look up the user's name. A container may have a read-only root and a user without an
    entry.
    """
    try:
        tempfile.gettempdir()
    except FileNotFoundError:  # there is no such folder, or every one is full
        os.environ["TMPDIR"] = _MEMORY
    home = os.path.expanduser("~")  # noqa: PTH111  (Path raises if there is none)
    if not os.access(home, os.W_OK | os.X_OK):
        if (models := Path(home, ".cache", "huggingface")).is_dir():
            os.environ.setdefault("HF_HOME", str(models))
        os.environ["HOME"] = tempfile.mkdtemp(prefix="emotion-llama-home-")
        atexit.register(shutil.rmtree, os.environ["HOME"], ignore_errors=True)
    try:
        pwd.getpwuid(os.getuid())
    except KeyError:
        os.environ.setdefault("USER", f"user-{os.getuid()}")


def compile_nothing() -> Callable[[], None]:
    """Keep vLLM's sampler from compiling C++ at the first request.

    That would take many seconds and a compiler. The functions of vLLM that are imported from now on
    are not compiled, and those of new processes; the result restores the variable for the latter.
    """
    before = os.environ.setdefault(_NO_COMPILER, "")
    os.environ[_NO_COMPILER] = before or "1"

    def restore() -> None:
        os.environ[_NO_COMPILER] = before

    return restore
