"""The probabilities of labels, read from the model and not asked from it in words.

p(label) is proportional to the probability that the model continues the prompt with the label's
tokens and the end of the answer. All labels are scored by walking the tree of their tokens: one
read of the next token for each prefix that any label goes through.
"""

import math
from collections.abc import Mapping, Sequence

from vllm.exceptions import VLLMValidationError

Prefix = tuple[int, ...]

_MAX_READS = 512


class LabelTree:
    """Labels as token ids, and where they part.

    Args:
        labels: label to its ids, the last of which ends an answer.

    Raises:
        VLLMValidationError: two labels have the same ids, or too many prefixes are to be read.
    """

    def __init__(self, labels: Mapping[str, Sequence[int]]) -> None:
        self._labels = {label: tuple(ids) for label, ids in labels.items()}
        if len(set(self._labels.values())) < len(labels):
            raise VLLMValidationError(
                "Two of the labels are the same to this model.", parameter="labels"
            )
        self.reads: dict[Prefix, list[int]] = {}
        """Prefix to the tokens whose log-probabilities behind it are wanted."""
        for ids in self._labels.values():
            for place, token in enumerate(ids):
                wanted = self.reads.setdefault(ids[:place], [])
                if token not in wanted:
                    wanted.append(token)
        if len(self.reads) > _MAX_READS:
            raise VLLMValidationError(
                f"The labels need {len(self.reads)} reads of the model; at most {_MAX_READS}. "
                "Take fewer or shorter ones.",
                parameter="labels",
            )

    def probabilities(self, logprobs: Mapping[Prefix, Sequence[float]]) -> dict[str, float]:
        """The labels' probabilities, which sum to 1.

        Args:
            logprobs: prefix to the log-probabilities, in the order of `reads`.
        """
        by_token = {
            prefix: dict(zip(self.reads[prefix], values, strict=True))
            for prefix, values in logprobs.items()
        }
        scores = {
            label: math.fsum(by_token[ids[:place]][token] for place, token in enumerate(ids))
            for label, ids in self._labels.items()
        }
        highest = max(scores.values())
        weights = {label: math.exp(score - highest) for label, score in scores.items()}
        total = math.fsum(weights.values())
        return {label: weight / total for label, weight in weights.items()}
