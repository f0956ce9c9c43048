"""Defines how the original's demo samples, and the names by which vLLM applies its penalty.

The numbers are those of `conversation.py:189-215` of the original, with its library's default
top_k.
"""

TEMPERATURE, TOP_P, TOP_K = 0.2, 0.9, 50
REPETITION_PENALTY = 1.05
MAX_NEW_TOKENS = 500
"""The maximum number of tokens of an answer."""
MAX_POSITIONS = 2000
"""The maximum number of positions of a prompt and its answer together."""

PENALTY_FIELD = "generated_repetition_penalty"
"""The key of the penalty in a request's `vllm_xargs` (`SamplingParams.extra_args`)."""
LOGITS_PROCESSOR = "emotion_llama_vllm.logits_processor:GeneratedRepetitionPenalty"
"""The class that applies the penalty, in the form of vLLM's flag `--logits-processors`."""
