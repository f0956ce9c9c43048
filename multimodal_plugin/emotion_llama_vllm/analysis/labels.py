"""Computes label probabilities from the model's next-token probabilities.

p(label) is proportional to the probability that the model continues the prompt with the label's
tokens and the end of the answer. All labels are scored by a walk over the tree of their tokens: one
read of the next token for each prefix of any label.
"""

import math
from collections.abc import Mapping, Sequence

from emotion_llama_vllm.errors import FieldError

Prefix = tuple[int, ...]

_MAX_READS = 512


class LabelTree:
    """Holds labels as token ids, and the prefixes at which they differ.

    Args:
        labels: maps each label to its token ids, the last of which ends an answer.

    Raises:
        FieldError: two labels have the same ids, or there are too many prefixes to read.
    """

    def __init__(self, labels: Mapping[str, Sequence[int]]) -> None:
        self._labels = {label: tuple(ids) for label, ids in labels.items()}
        if len(set(self._labels.values())) < len(labels):
            raise FieldError("Two of the labels are the same to this model.", field="labels")
        self.reads: dict[Prefix, list[int]] = {}
        """Maps each prefix to the tokens whose log-probabilities after it are needed."""
        for ids in self._labels.values():
            for place, token in enumerate(ids):
                wanted = self.reads.setdefault(ids[:place], [])
                if token not in wanted:
                    wanted.append(token)
        if len(self.reads) > _MAX_READS:
            raise FieldError(
                f"The labels need {len(self.reads)} reads of the model; at most {_MAX_READS}. "
                "Take fewer or shorter ones.",
                field="labels",
            )

    def probabilities(self, logprobs: Mapping[Prefix, Sequence[float]]) -> dict[str, float]:
        """Return the probabilities of the labels, which sum to 1.

        Args:
            logprobs: maps each prefix to its log-probabilities, in the order of `reads`.
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
