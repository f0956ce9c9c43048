"""The stages of a server's start, told by whichever of its processes is at work."""

import logging
import os
import time

_BEGUN = "EMOTION_LLAMA_BEGUN"
"""Environment variable: when the start began, in seconds since the epoch."""

logger = logging.getLogger("vllm.emotion_llama")


def begin() -> None:
    """Have the stages told from now on, in this process and in those that it starts."""
    os.environ[_BEGUN] = str(time.time())


def tell(stage: str) -> None:
    """Log a stage that begins, and the seconds since the start.

    Nothing is told where no start has begun: vLLM as a library says itself what it does.
    """
    if _BEGUN in os.environ:
        seconds = time.time() - float(os.environ[_BEGUN])
        fields = {"stage": stage, "seconds": round(seconds, 1)}
        logger.info("%(seconds)5.1f s  %(stage)s", fields, extra=fields)
