"""Divides the places in the engine among keys and requests."""

from emotion_llama_vllm.shares import UNLIMITED, Asker, Shares, with_reserve

_READS_ALONE, _READS, _READS_OF_WINDOWS = 64, 16, 2
"""The number of reads of one request at once: while it is alone, while there are others, and for
its windows then. The more reads a step of the engine has, the longer every request waits for it."""
_RENDERS = 2
"""The number of prompts to render at once: vLLM renders one after another, so one waits in line."""
_RESERVED = 8
"""The divisor that reserves sequences: one in eight is kept for the other keys."""


class EngineShares:
    """Holds the places in front of the engine.

    Args:
        max_sequences: the number of sequences that the engine computes together.
    """

    def __init__(self, max_sequences: int = UNLIMITED) -> None:
        each = max_sequences - max_sequences // _RESERVED
        self.sequences: Shares[str] = Shares(max_sequences, each)
        """The sequences that the engine computes or will compute soon, by key."""
        self.renders: Shares[str] = Shares(with_reserve(_RENDERS), _RENDERS)
        """The prompts that are rendered, by key."""
        self.reads: Shares[Asker] = Shares(UNLIMITED, _reads_at_once)
        """The reads of labels, by request and by the part of the request that needs them."""


def _reads_at_once(asker: Asker) -> int:
    if asker.is_alone():
        return _READS_ALONE
    return _READS_OF_WINDOWS if asker.is_background else _READS
