"""Runs jobs inside a decode worker; it imports nothing that a worker does not need."""

import ctypes
import math
import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

_T = TypeVar("_T")
_PR_SET_NO_NEW_PRIVS = 38
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
_OPEN_FILES = 64
_LIBRARIES = 512 << 20
"""The bytes of addresses that the libraries for faces (OpenCV, LiteRT) take, most of which are
never memory. The soft limit leaves them out, and is raised when they are loaded."""
ENVIRONMENT = {"OPENCV_FOR_THREADS_NUM": "1", "OPENCV_LOG_LEVEL": "SILENT"}
"""The whole environment of a worker: OpenCV, once it is loaded, uses one core and writes no log."""

_is_confined = False


def confine(memory: int) -> None:
    """Give up the rights that decoding does not need.

    Args:
        memory: the maximum memory in bytes beyond the current use.
    """
    global _is_confined
    _is_confined = True
    os.environ.clear()
    os.environ.update(ENVIRONMENT)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    # A frame's memory is kept for the next clip, because new memory takes 8 ms at 1080p.
    libc.mallopt(_M_MMAP_THRESHOLD, 32 << 20)
    libc.mallopt(_M_TRIM_THRESHOLD, 128 << 20)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + memory
    resource.setrlimit(resource.RLIMIT_AS, (most, most + _LIBRARIES))
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: _OPEN_FILES,
    }
    for limit, most in limits.items():
        resource.setrlimit(limit, (most, most))


def make_room() -> None:
    """Raise a worker's limit of memory for the libraries for faces, before they are loaded.

    In a process that is no worker it does nothing.
    """
    if _is_confined:
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def work(job: Callable[[bytes], _T], path: str, cpu_seconds: float) -> _T:
    """Run `job` on the bytes of a file; over `cpu_seconds` of CPU time the process ends.

    CPU time tells a hostile file from a busy machine, which wall-clock time cannot do.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    most = math.ceil(used.ru_utime + used.ru_stime + cpu_seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.RLIM_INFINITY))
    return job(Path(path).read_bytes())
