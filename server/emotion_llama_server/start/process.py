"""Prepares the process of `emotion-llama serve`, from which that of the engine is forked."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from emotion_llama_server.environment import detect_engine
from emotion_llama_vllm.hooks.cpu_defaults import LARGE_PAGES


def restart_with_large_pages() -> None:
    """Execute this command anew if the engine's memory needs variables that are not set.

    The C library reads them at the start of a process alone. The process keeps its number.
    """
    engine = detect_engine()
    missing = LARGE_PAGES.keys() - os.environ.keys()
    if engine is not None and engine.is_for_cpus and missing:
        command = [sys.executable, *sys.orig_argv[1:]]
        os.execve(sys.executable, command, LARGE_PAGES | os.environ)


@contextmanager
def without_garbage_collection() -> Iterator[None]:
    """Look for no garbage while modules are imported, as that takes a fifth of the time.

    What exists at the end stays out of all later searches, in the engine's process too.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
