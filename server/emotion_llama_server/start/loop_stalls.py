"""Measures stalls of the event loop, during which no client is served."""

import asyncio

from emotion_llama_vllm import metrics

_SECONDS = 0.02


async def measure_stalls() -> None:
    """Record for ever how late a short sleep ends."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _SECONDS
        await asyncio.sleep(_SECONDS)
        metrics.loop_stalls.observe(max(0.0, loop.time() - due))
