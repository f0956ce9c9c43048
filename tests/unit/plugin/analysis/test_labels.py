"""Label probabilities from a tree of reads, against every label scored by itself."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from transformers import PreTrainedTokenizerFast

from emotion_llama_vllm.analysis.labels import LabelTree
from emotion_llama_vllm.analysis.prompts import label_tree
from emotion_llama_vllm.analysis.spelling import meaning, own_spelling, scored_spellings
from emotion_llama_vllm.errors import FieldError

END = 2
LABELS = {"a": [5, END], "ab": [5, 6, END], "abc": [5, 6, 7, END], "b": [8, END], "bc": [8, 7, END]}


def logprobs_behind(prefix: Sequence[int]) -> np.ndarray:
    """A language model: fixed log-probabilities over ten tokens for each prefix."""
    scores = np.random.default_rng([len(prefix), *prefix]).normal(0, 3, 10)
    return scores - np.log(np.exp(scores).sum())


def read(tree: LabelTree) -> dict[tuple[int, ...], list[float]]:
    return {p: [float(logprobs_behind(p)[t]) for t in wanted] for p, wanted in tree.reads.items()}


def test_the_walk_gives_what_scoring_each_label_gives() -> None:
    tree = LabelTree(LABELS)
    alone = {
        label: math.exp(sum(logprobs_behind(ids[:i])[token] for i, token in enumerate(ids)))
        for label, ids in LABELS.items()
    }
    found = tree.probabilities(read(tree))
    assert list(found) == list(LABELS)
    assert math.fsum(found.values()) == pytest.approx(1, abs=1e-12)
    for label, weight in alone.items():
        assert found[label] == pytest.approx(weight / sum(alone.values()), abs=1e-12)


def test_each_prefix_is_read_once() -> None:
    reads = LabelTree(LABELS).reads
    assert {prefix: sorted(wanted) for prefix, wanted in reads.items()} == {
        (): [5, 8],
        (5,): [END, 6],
        (5, 6): [END, 7],
        (5, 6, 7): [END],
        (8,): [END, 7],
        (8, 7): [END],
    }


def test_labels_that_hardly_occur_still_sum_to_one() -> None:
    tree = LabelTree({"a": [5, END], "b": [8, END]})
    found = tree.probabilities({(): [-2000.0, -2001.0], (5,): [0.0], (8,): [0.0]})
    assert found["a"] == pytest.approx(1 / (1 + math.exp(-1)))


def test_labels_that_are_one_to_the_model_are_refused() -> None:
    with pytest.raises(FieldError) as refused:
        LabelTree({"one": [5, END], "other": [5, END]})
    assert refused.value.field == "labels"


def test_a_set_of_labels_that_needs_too_many_reads_is_refused() -> None:
    labels = {f"label {n}": [n, *range(100, 120), END] for n in range(3, 60)}
    with pytest.raises(FieldError, match="reads"):
        LabelTree(labels)


def test_labels_are_tokens_of_an_answer(tokenizer: PreTrainedTokenizerFast) -> None:
    """As the model generates them, each to the end, and never with a token that a user typed."""
    tree = label_tree(tokenizer, {label: label for label in ("happy", "</s>", "so so")})
    happy = tokenizer.encode("happy", add_special_tokens=False)
    assert tree.reads[tuple(happy)] == [2]
    end: Any = tokenizer.eos_token_id
    typed = [token for wanted in tree.reads.values() for token in wanted]
    assert typed.count(end) == 3
    assert all(end not in prefix for prefix in tree.reads)


KNOWN = ["happy", "so-so", "very sad", "caf\u00e9", "\u9ad8\u5174"]


@pytest.mark.parametrize(
    ("written", "own"),
    [
        ("happy", "happy"),
        ("Happy", "happy"),
        ("HAPPY", "happy"),
        (" hap\u00adpy\u200b", "happy"),
        ("\uff28\uff41\uff50\uff50\uff59", "happy"),
        ("So So", "so-so"),
        ("SO_SO", "so-so"),
        ("so\u2011so", "so-so"),
        ("very_sad", "very sad"),
        ("Very\u00a0Sad", "very sad"),
        ("verySad", "very sad"),
        ("CAFE\u0301", "caf\u00e9"),
        ("\u9ad8 \u5174", "\u9ad8\u5174"),
        ("cafe", None),
        ("sad", None),
        ("happy!", None),
        ("--", None),
    ],
)
def test_a_label_is_known_by_its_meaning(written: str, own: str | None) -> None:
    assert own_spelling(written, KNOWN) == own


def test_labels_of_a_checkpoint_that_mean_the_same_are_told_apart_by_their_spelling() -> None:
    known = ["re-sign", "resign"]
    assert [own_spelling(label, known) for label in (*known, "Resign")] == [
        "re-sign",
        "resign",
        None,
    ]


def test_the_same_meaning_twice_is_refused_for_known_labels_alone() -> None:
    with pytest.raises(FieldError, match="same label") as refused:
        scored_spellings(["Very sad", "happy", "very-sad"], KNOWN)
    assert refused.value.field == "labels"
    assert list(scored_spellings(["Fear", "fear"], KNOWN)) == ["Fear", "fear"]


def test_a_meaning_stays_the_same_when_taken_again() -> None:
    for text in ("\u0130stanbul", "\u1e9e", "\ufb03", "\u03a3\u03c2", "A\u030a"):
        assert meaning(meaning(text)) == meaning(text)
