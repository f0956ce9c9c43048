"""Matches the labels that a caller writes to the checkpoint's own spelling of them."""

import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache

from emotion_llama_vllm.errors import FieldError

_IGNORED = {"Cc", "Cf", "Pc", "Pd", "Zl", "Zp", "Zs"}
"""The Unicode categories that do not matter in a label: spaces, dashes, underscores, controls."""


def meaning(label: str) -> str:
    """Return a label without its case, spacing, dashes, underscores and Unicode form."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", label).casefold())
    return "".join(char for char in folded if unicodedata.category(char) not in _IGNORED)


def own_spelling(label: str, known: Sequence[str]) -> str | None:
    """Return the checkpoint's label that `label` means, or None if it means none or several."""
    return label if label in known else _by_meaning(tuple(known)).get(meaning(label))


def scored_spellings(labels: Sequence[str], known: Sequence[str]) -> dict[str, str]:
    """Map each label to the spelling that the model is scored on.

    Args:
        labels: the caller's labels.
        known: the checkpoint's labels; any other label is scored as the caller writes it.

    Raises:
        FieldError: two of the labels mean the same label of the checkpoint.
    """
    spellings = {label: own_spelling(label, known) or label for label in labels}
    by_spelling: dict[str, str] = {}
    for label, spelling in spellings.items():
        other = by_spelling.setdefault(spelling, label)
        if other != label:
            raise FieldError(
                f"{other!r} and {label!r} are the same label to this checkpoint ({spelling!r}); "
                "name it once.",
                field="labels",
            )
    return spellings


@lru_cache(maxsize=8)
def _by_meaning(known: tuple[str, ...]) -> dict[str, str]:
    """Map each meaning to its label, leaving out meanings that several labels share."""
    meanings = [meaning(label) for label in known]
    return {
        meant: label
        for meant, label in zip(meanings, known, strict=True)
        if meant and meanings.count(meant) == 1
    }


def unknown_labels(spellings: Mapping[str, str], known: Sequence[str]) -> list[str]:
    """Return the labels whose spelling the checkpoint does not know."""
    return [label for label, spelling in spellings.items() if spelling not in known]
