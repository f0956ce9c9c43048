"""Defines the sampling parameters for each part of an analysis."""

from collections.abc import Sequence

from vllm import SamplingParams

from emotion_llama.schema import EmotionRequest

ANSWER_TOKENS = 64
"""The maximum number of tokens of the answer to a label question."""


def generating(request: EmotionRequest, max_tokens: int, room: int) -> SamplingParams:
    """Return the parameters that generate text with the request's temperature and seed.

    Args:
        request: gives the temperature and the seed.
        max_tokens: the maximum number of generated tokens.
        room: the number of tokens that the prompt leaves, which limits `max_tokens`.
    """
    return SamplingParams(
        temperature=request.temperature,
        seed=request.seed,
        max_tokens=max(1, min(max_tokens, room)),
    )


def reading(wanted: Sequence[int]) -> SamplingParams:
    """Return the parameters that read the log-probabilities of these tokens as the next token."""
    # `logprobs` is not set, because its limit would apply to these tokens too.
    return SamplingParams(temperature=0, max_tokens=1, logprob_token_ids=list(wanted))
