"""Lets the encoders compute with several threads where the language model computes with one.

The language model of a small checkpoint is faster with one thread, but its encoders are not: their
products are larger. vLLM fixes torch's number of threads, so this sets OpenMP's, which torch asks.
"""

import os
from contextlib import AbstractContextManager, nullcontext
from functools import cache

from threadpoolctl import ThreadpoolController

ENCODER_THREADS = "EMOTION_LLAMA_ENCODER_THREADS"
"""The environment variable with the number of threads; without it the encoders get no others."""


def encoder_threads() -> AbstractContextManager[object]:
    """Return a context in which torch computes with the encoders' number of threads."""
    threads = os.environ.get(ENCODER_THREADS)
    return _openmp().limit(limits=int(threads)) if threads else nullcontext()


@cache
def _openmp() -> ThreadpoolController:
    """Return the controls of the OpenMP libraries that this process has loaded."""
    return ThreadpoolController().select(user_api="openmp")
