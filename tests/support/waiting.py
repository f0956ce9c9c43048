"""Waits in a thread for something that happens elsewhere."""

import time
from collections.abc import Callable


def until(condition: Callable[[], bool], seconds: float, pause: float = 0.02) -> None:
    """Return when a condition holds; fail after so many seconds.

    Args:
        condition: what is awaited; it is asked again after each pause.
        seconds: the longest wait.
        pause: the seconds between two questions.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(pause)
