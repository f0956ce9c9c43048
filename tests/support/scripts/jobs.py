"""Defines good and bad jobs for decode workers, which load them by this module's name."""

import ctypes
import os
import signal
import sys
import time
from pathlib import Path

import numpy as np


def length(source: bytes) -> int:
    return len(source)


def sleep(source: bytes) -> None:
    time.sleep(60)


def nap(source: bytes) -> None:
    time.sleep(0.2)


def spin(source: bytes) -> None:
    while True:
        pass


def hoard(source: bytes) -> None:
    """Allocate memory for ever, and use none of it, as that takes longer than the deadline."""
    kept = []
    while True:
        kept.append(np.empty(2**24, np.uint8))


def crash(source: bytes) -> None:
    ctypes.string_at(0)


def abort(source: bytes) -> None:
    """End the process as C++ does for an uncaught `std::bad_alloc`."""
    os.abort()


def be_killed(source: bytes) -> None:
    """End the process as the kernel does for lack of memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def leave(source: bytes) -> None:
    os._exit(0)


def own_id(source: bytes) -> int:
    return os.getpid()


def look_around(source: bytes) -> dict[str, object]:
    """Return what the process can still access."""
    servers = {"torch", "vllm", "fastapi", "transformers", "emotion_llama_server"}
    return {
        "environment": dict(os.environ),
        "may gain privileges": "NoNewPrivs:\t1" not in Path("/proc/self/status").read_text(),
        "modules": sorted(servers & sys.modules.keys()),
    }


def list_modules(source: bytes) -> list[str]:
    """Return the names of all modules that the process has loaded."""
    return sorted(sys.modules)


def write(source: bytes) -> None:
    """Write to the most harmless of files."""
    os.write(os.memfd_create("clip"), source)


def count_opencv_threads(_: bytes) -> int:
    import cv2

    return cv2.getNumThreads()
