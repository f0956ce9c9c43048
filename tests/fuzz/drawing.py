"""Hypothesis as a source of examples: it draws, we send."""

from typing import TypeVar

import hypothesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy

_T = TypeVar("_T")


def draw(strategy: SearchStrategy[_T], count: int, seed: int) -> list[_T]:
    """Draw up to `count` different examples, the same for a seed; there may be fewer."""
    drawn: list[_T] = []
    if count < 1:
        return drawn

    @hypothesis.seed(seed)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def take(example: _T) -> None:
        drawn.append(example)

    try:
        take()
    except Unsatisfiable:
        return drawn
    return drawn[:count]
