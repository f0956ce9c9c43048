"""What each key, and each request, may have in the engine at once."""

from emotion_llama_vllm.shares import UNLIMITED, Asker, Shares, with_reserve

_READS_ALONE, _READS = 64, 16
"""A read behind a prompt that is known computes the prompt's last block of tokens: so many cost
about as much as one new prompt."""
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
        """Reads of labels, by request: the more of them, the longer each step of the engine."""


def _reads_at_once(asker: Asker) -> int:
    return _READS_ALONE if asker.is_alone() else _READS
