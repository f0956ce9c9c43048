"""How long the server's event loop stood still, as its metrics tell."""

import requests
from prometheus_client.parser import text_string_to_metric_families

LONGEST = 0.25
"""Seconds for which a request may hold all others up."""

_NAME = "emotion_llama_event_loop_stall_seconds"


class StallMeter:
    """Reads the server's histogram of stalls; each reading tells what came since the last."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._before = self._counts()

    def longest(self) -> float:
        """Return the upper bound of the bucket that the longest stall is in."""
        now = self._counts()
        new = {bound: count - self._before.get(bound, 0) for bound, count in now.items()}
        self._before = now
        return min(bound for bound, count in new.items() if count >= new[float("inf")])

    def _counts(self) -> dict[float, float]:
        """Return how many stalls there were up to each bound."""
        text = requests.get(f"{self._url}/metrics", timeout=60).text
        for family in text_string_to_metric_families(text):
            if family.name == _NAME:
                return {
                    float(sample.labels["le"]): sample.value
                    for sample in family.samples
                    if sample.name == f"{_NAME}_bucket"
                }
        raise RuntimeError(f"The server has no metric {_NAME}.")
