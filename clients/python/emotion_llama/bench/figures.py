"""Defines the results of a load test, the models of `bench.json`; all times are in seconds."""

import statistics
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel
from typing_extensions import Self


class Record(BaseModel):
    """Holds the results of one request."""

    clip: str
    question: int
    """The number of the question about this clip, counted from 0."""
    start: float
    """The time since the start of the run."""
    end_to_end: float
    ttft: float | None
    """The time to first token: from before sending to the first piece; null without a stream."""
    gaps: list[float]
    """The times between two pieces of the answer."""
    output_tokens: int | None
    error: str | None
    """The HTTP status, or the name of the error; null for a good answer."""
    message: str | None
    """The sentence of the error."""

    @property
    def time_per_output_token(self) -> float | None:
        """Return the time from the first piece to the last, per token after the first."""
        if not self.gaps or not self.output_tokens or self.output_tokens < 2:
            return None
        return sum(self.gaps) / (self.output_tokens - 1)


class Distribution(BaseModel):
    """Describes the distribution of one kind of time."""

    mean: float
    p50: float
    p90: float
    p99: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self | None:
        """Return the distribution with interpolated percentiles, or None without values."""
        if not values:
            return None
        twice = [*values, *values] if len(values) == 1 else values  # Python 3.11 needs two values
        cuts = statistics.quantiles(twice, n=100, method="inclusive")
        return cls(mean=statistics.fmean(values), p50=cuts[49], p90=cuts[89], p99=cuts[98])


class Figures(BaseModel):
    """Summarises the records of a run; times and rates are those of the good answers."""

    requests: int
    good: int
    errors: dict[str, int]
    seconds: float
    """The time from the first request to the last answer."""
    requests_per_second: float
    output_tokens_per_second: float | None
    ttft: Distribution | None
    inter_token: Distribution | None
    """The times between two pieces of an answer; a piece is a token, or several if the reader is
    late."""
    time_per_output_token: Distribution | None
    """The means of the answers' times per token, by the server's count of tokens."""
    end_to_end: Distribution | None

    @classmethod
    def of(cls, records: Sequence[Record], seconds: float) -> Self:
        good = [record for record in records if record.error is None]
        tokens = [record.output_tokens for record in good if record.output_tokens is not None]
        paces = [record.time_per_output_token for record in good]
        return cls(
            requests=len(records),
            good=len(good),
            errors=dict(Counter(record.error for record in records if record.error is not None)),
            seconds=seconds,
            requests_per_second=len(good) / seconds,
            output_tokens_per_second=sum(tokens) / seconds if tokens else None,
            ttft=Distribution.of([record.ttft for record in good if record.ttft is not None]),
            inter_token=Distribution.of([gap for record in good for gap in record.gaps]),
            time_per_output_token=Distribution.of([pace for pace in paces if pace is not None]),
            end_to_end=Distribution.of([record.end_to_end for record in good]),
        )


class Run(BaseModel):
    """Holds the results of one level of load."""

    concurrency: int | None
    """The number of requests at once in a closed loop."""
    rate: float | None
    """The planned requests per second of an open loop."""
    sent_per_second: float | None
    """The requests per second that were sent; less than the plan if this machine is too slow."""
    figures: Figures
    prefix_cache_hits: float | None
    """The share of prompt tokens found in the cache, by the server's counters; null without them.
    """
    mm_cache_hits: float | None
    """The share of clips that the server had already prepared, by its counters; null without them.
    """
    clips_reused: bool
    """True if clips ran out and some were sent again, in this run or after an earlier one."""
    records: list[Record]

    @property
    def name(self) -> str:
        return f"{self.rate:g} requests/s" if self.rate else f"concurrency {self.concurrency}"


class Settings(BaseModel):
    """Holds the settings of a load test."""

    route: str
    clips: str | None
    """The folder of the clips; null for the server's own clips."""
    questions_per_clip: int
    max_tokens: int | None
    seed: int | None
    """The seed of an open loop's arrival times."""


class ServerFacts(BaseModel):
    """Holds the server's description of itself; null for each missing fact."""

    url: str
    version: str | None
    """The version of vLLM."""
    model: str | None


class Machine(BaseModel):
    """Describes the machine that sent the requests."""

    system: str
    python: str
    cpus: int | None


class Bench(BaseModel):
    """Represents the contents of `bench.json`."""

    client_version: str
    started: datetime
    settings: Settings
    server: ServerFacts
    machine: Machine
    runs: list[Run]
