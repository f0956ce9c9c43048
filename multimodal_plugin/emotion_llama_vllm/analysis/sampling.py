"""How the model is sampled for each part of an analysis."""

from collections.abc import Sequence

from vllm import SamplingParams

from emotion_llama.schema import EmotionRequest

ANSWER_TOKENS = 64
"""At most, of the answer to a question for a label."""


def generating(request: EmotionRequest, max_tokens: int, room: int) -> SamplingParams:
    """Words, as the request wants them.

    Args:
        request: with temperature and seed.
        max_tokens: at most, and at most `room`, which the prompt leaves.
    """
    return SamplingParams(
        temperature=request.temperature,
        seed=request.seed,
        max_tokens=max(1, min(max_tokens, room)),
    )


def reading(wanted: Sequence[int]) -> SamplingParams:
    """The log-probabilities of these tokens as the next one."""
    # Without `logprobs`, whose limit would count for these tokens too.
    return SamplingParams(temperature=0, max_tokens=1, logprob_token_ids=list(wanted))
