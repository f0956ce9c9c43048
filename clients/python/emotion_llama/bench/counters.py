"""Reads the hit rates of the server's caches from its counters before and after a run."""

import re
from collections import defaultdict
from dataclasses import dataclass, field

import httpx2

_SAMPLE = re.compile(r"^([A-Za-z_:][\w:]*)(?:\{.*\})? (\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Counters:
    """Holds the samples of `/metrics`, summed over their labels."""

    values: dict[str, float] = field(default_factory=dict)

    def share(self, before: "Counters", cache: str) -> float | None:
        """Return a cache's hits over its queries since `before`; None without counters."""
        hits, queries = (f"vllm:{cache}_{what}_total" for what in ("hits", "queries"))
        if not {hits, queries} <= before.values.keys() & self.values.keys():
            return None
        asked = self.values[queries] - before.values[queries]
        return (self.values[hits] - before.values[hits]) / asked if asked > 0 else None


async def read_counters(http: httpx2.AsyncClient) -> Counters:
    """Return the current counters; they are empty if the server does not send any."""
    try:
        response = await http.get("/metrics")
    except httpx2.RequestError:
        return Counters()
    return _parse(response.text) if response.is_success else Counters()


def _parse(text: str) -> Counters:
    sums: defaultdict[str, float] = defaultdict(float)
    for name, value in _SAMPLE.findall(text):
        if name.startswith("vllm:") and name.endswith("_total"):
            sums[name] += float(value)
    return Counters(dict(sums))
