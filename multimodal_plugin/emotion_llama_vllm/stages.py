"""Logs the stages of a server's start, from any of its processes."""

import os
import time

from emotion_llama_vllm.logger import logger

_BEGUN = "EMOTION_LLAMA_BEGUN"
"""The environment variable with the time of the start, in seconds since the epoch."""


def begin() -> None:
    """Enable the log of stages in this process and in those that it starts."""
    os.environ[_BEGUN] = str(time.time())


def tell(stage: str) -> None:
    """Log the start of a stage, with the seconds since the server's start.

    Without a call of `begin` nothing is logged, because vLLM as a library logs its own progress.
    """
    if _BEGUN in os.environ:
        seconds = time.time() - float(os.environ[_BEGUN])
        fields = {"stage": stage, "seconds": round(seconds, 1)}
        logger.info("%(seconds)5.1f s  %(stage)s", fields, extra=fields)
