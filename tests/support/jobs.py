"""Jobs for decode workers, good and bad; a worker finds them by this module's name."""

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
    """Take memory for ever."""
    kept = []
    while True:
        kept.append(np.ones(2**24, np.uint8))


def crash(source: bytes) -> None:
    ctypes.string_at(0)


def abort(source: bytes) -> None:
    """As C++ does when nobody catches `std::bad_alloc`."""
    os.abort()


def be_killed(source: bytes) -> None:
    """As the kernel ends a process for want of memory."""
    os.kill(os.getpid(), signal.SIGKILL)


def leave(source: bytes) -> None:
    os._exit(0)


def own_id(source: bytes) -> int:
    return os.getpid()


def look_around(source: bytes) -> dict[str, object]:
    """What the process still has."""
    servers = {"torch", "vllm", "fastapi", "transformers", "emotion_llama_server"}
    return {
        "environment": dict(os.environ),
        "may gain privileges": "NoNewPrivs:\t1" not in Path("/proc/self/status").read_text(),
        "modules": sorted(servers & sys.modules.keys()),
    }


def write(source: bytes) -> None:
    """To the most harmless of files."""
    os.write(os.memfd_create("clip"), source)
