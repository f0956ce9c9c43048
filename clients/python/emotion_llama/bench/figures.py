"""What a load test finds: the models of `bench.json`. All times are in seconds."""

import statistics
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel
from typing_extensions import Self


class Record(BaseModel):
    """One request."""

    clip: str
    question: int
    """Which one about this clip, from 0."""
    start: float
    """Since the run began."""
    end_to_end: float
    ttft: float | None
    """Time to first token: from before sending to the first piece; null without a stream."""
    gaps: list[float]
    """Between two pieces of the answer."""
    output_tokens: int | None
    error: str | None
    """The HTTP status, or the name of what went wrong; null for a good answer."""
    message: str | None
    """The error in words."""

    @property
    def time_per_output_token(self) -> float | None:
        """From the first piece to the last, over the tokens behind the first."""
        if not self.gaps or not self.output_tokens or self.output_tokens < 2:
            return None
        return sum(self.gaps) / (self.output_tokens - 1)


class Distribution(BaseModel):
    """Of one kind of time."""

    mean: float
    p50: float
    p90: float
    p99: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self | None:
        """With percentiles that are interpolated linearly; none of nothing."""
        if not values:
            return None
        twice = [*values, *values] if len(values) == 1 else values  # Python 3.11 wants two
        cuts = statistics.quantiles(twice, n=100, method="inclusive")
        return cls(mean=statistics.fmean(values), p50=cuts[49], p90=cuts[89], p99=cuts[98])


class Figures(BaseModel):
    """What the records of a run come to; times and rates are those of the good answers."""

    requests: int
    good: int
    errors: dict[str, int]
    seconds: float
    """From the first request to the last answer."""
    requests_per_second: float
    output_tokens_per_second: float | None
    ttft: Distribution | None
    inter_token: Distribution | None
    """Between two pieces of an answer; a piece is a token, or more when somebody is behind."""
    time_per_output_token: Distribution | None
    """The mean of each answer, by the server's count of tokens."""
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
    """One level of load."""

    concurrency: int | None
    """Of a closed loop."""
    rate: float | None
    """Requests a second that an open loop means to send."""
    sent_per_second: float | None
    """What it did send: less than the rate where this machine is too slow for it."""
    figures: Figures
    prefix_cache_hits: float | None
    """Share of the prompts' tokens, by the server's counters; null where these do not tell."""
    mm_cache_hits: float | None
    """Share of the clips that the server had prepared before, likewise."""
    clips_reused: bool
    """Whether clips ran out, so that some were asked about before, here or in an earlier run."""
    records: list[Record]

    @property
    def name(self) -> str:
        return f"{self.rate:g} requests/s" if self.rate else f"concurrency {self.concurrency}"


class Settings(BaseModel):
    """What was asked for."""

    route: str
    clips: str | None
    """The folder; null for the server's own clips."""
    questions_per_clip: int
    max_tokens: int | None
    seed: int | None
    """Of an open loop's arrivals."""


class ServerFacts(BaseModel):
    """What the server says about itself; null where it does not."""

    url: str
    version: str | None
    """Of vLLM."""
    model: str | None


class Machine(BaseModel):
    """Where the requests came from."""

    system: str
    python: str
    cpus: int | None


class Bench(BaseModel):
    """The whole of `bench.json`."""

    client_version: str
    started: datetime
    settings: Settings
    server: ServerFacts
    machine: Machine
    runs: list[Run]
