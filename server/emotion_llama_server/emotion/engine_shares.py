"""What each key, and each request, may have in the engine at once."""

from emotion_llama_vllm.shares import UNLIMITED, Asker, Shares, with_reserve

_READS_ALONE, _READS, _READS_OF_WINDOWS = 64, 16, 2
"""Reads of one request while it is alone, while there are others, and of its windows then: the more
reads are in a step of the engine, the longer everybody waits for it."""
_RENDERS = 2
"""vLLM renders one prompt after another: a second one is there when the first is ready."""
_RESERVED = 8
"""One of so many sequences is kept for the other keys."""


class EngineShares:
    """Places in front of the engine.

    Args:
        max_sequences: how many sequences the engine computes together.
    """

    def __init__(self, max_sequences: int = UNLIMITED) -> None:
        each = max_sequences - max_sequences // _RESERVED
        self.sequences: Shares[str] = Shares(max_sequences, each)
        """Sequences that the engine computes, or is about to, by the key that asks."""
        self.renders: Shares[str] = Shares(with_reserve(_RENDERS), _RENDERS)
        """Prompts that are rendered, by the key that asks."""
        self.reads: Shares[Asker] = Shares(UNLIMITED, _reads_at_once)
        """Reads of labels, by the request, and the part of it, that needs them."""


def _reads_at_once(asker: Asker) -> int:
    if asker.is_alone():
        return _READS_ALONE
    return _READS_OF_WINDOWS if asker.is_background else _READS
