"""Provides reproducible random numbers: one random stream for each key."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


def stream(*key: str | int) -> np.random.Generator:
    """Return the random stream of this key; other keys give unrelated streams."""
    digest = hashlib.sha256("/".join(map(str, key)).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def pick(rng: np.random.Generator, items: Sequence[T]) -> T:
    """Return one of the items, each with the same probability."""
    return items[int(rng.integers(len(items)))]


def share(items: list[T], split: str, name: str) -> list[T]:
    """Return the items of a split: 80 % train, 8 % val, 12 % test, disjoint.

    `name` keys the shuffle, so that two lists of the same length are split in unrelated ways.
    """
    order = stream("share", name).permutation(len(items))
    low, high = {"train": (0, 0.8), "val": (0.8, 0.88), "test": (0.88, 1)}[split]
    return [items[i] for i in order[int(low * len(items)) : int(high * len(items))]]
