"""Recognises an engine that the kernel killed for lack of memory; vLLM only reports its death."""

from emotion_llama_vllm.memory import count_kills


class MemoryKills:
    """Compares the kernel's count of such kills with the count at its creation."""

    def __init__(self) -> None:
        self._before = count_kills()

    def sentence(self) -> str | None:
        """Return a sentence with the cure if the kernel killed a process since then, or None."""
        if count_kills() == self._before:
            return None
        return (
            "The kernel ended a process for want of memory; lower --kv-cache-memory-bytes, "
            "--max-num-seqs or --max-audio-seconds, or give the machine, or its container, "
            "more memory."
        )
