"""Tells the time for what expires, unmoved by a clock that is set while the server runs."""

import time


class Clock:
    """Adds the time since the start to the time at the start.

    A machine's clock may jump by years when it first reaches a time server; files and batches would
    then all expire at once, or never. The time in which the machine sleeps counts.
    """

    def __init__(self) -> None:
        self._start = time.time() - _running()

    def now(self) -> int:
        """Return the Unix time in seconds."""
        return int(self._start + _running())


def _running() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)
