"""An engine that the kernel ended for want of memory: vLLM tells only that it is gone."""

from emotion_llama_vllm.memory import count_kills


class MemoryKills:
    """Compares the kernel's count of such ends with that when this was made."""

    def __init__(self) -> None:
        self._before = count_kills()

    def sentence(self) -> str | None:
        """Say that the kernel ended a process since, and the cure; None if it did not."""
        if count_kills() == self._before:
            return None
        return (
            "The kernel ended a process for want of memory; lower --kv-cache-memory-bytes, "
            "--max-num-seqs or --max-audio-seconds, or give the machine, or its container, "
            "more memory."
        )
