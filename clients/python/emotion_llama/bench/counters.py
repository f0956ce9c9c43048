"""How often the server's caches hit, read off its counters before and after a run."""

import re
from collections import defaultdict
from dataclasses import dataclass, field

import httpx2

_SAMPLE = re.compile(r"^([A-Za-z_:][\w:]*)(?:\{.*\})? (\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Counters:
    """The samples of `/metrics`, those that differ in their labels added up."""

    values: dict[str, float] = field(default_factory=dict)

    def share(self, before: "Counters", cache: str) -> float | None:
        """Hits of a cache over its queries since then; None where the server does not tell."""
        hits, queries = (f"vllm:{cache}_{what}_total" for what in ("hits", "queries"))
        if not {hits, queries} <= before.values.keys() & self.values.keys():
            return None
        asked = self.values[queries] - before.values[queries]
        return (self.values[hits] - before.values[hits]) / asked if asked > 0 else None


async def read_counters(http: httpx2.AsyncClient) -> Counters:
    """The counters now; none where the server has none for us."""
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
