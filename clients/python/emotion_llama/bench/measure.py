"""Runs a load test from beginning to end."""

import asyncio
import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

import httpx2

from emotion_llama import __version__
from emotion_llama.bench.asking import ask
from emotion_llama.bench.clips import Clip, Deck, Question
from emotion_llama.bench.counters import read_counters
from emotion_llama.bench.facts import read_facts
from emotion_llama.bench.figures import Bench, Figures, Machine, Record, Run, Settings
from emotion_llama.bench.load import Load, OpenLoop
from emotion_llama.bench.routes import ROUTES, Target
from emotion_llama.connection import Connection

_SILENCE = 600.0
"""The seconds after which a silent server counts as failed, more than the server's own deadline."""
_IDLE = 3.0
"""Seconds for which an idle connection is kept. The server closes it after 5, and a request that is
on its way at that moment fails."""


@dataclass(frozen=True)
class Plan:
    """Describes the measurements of a load test.

    Args:
        server: the server's address.
        api_key: the key for the server.
        settings: the settings for the report.
        clips: the clips in the order of their use.
        loads: the load and the number of requests of each run.
    """

    server: str
    api_key: str | None
    settings: Settings
    clips: Sequence[Clip]
    loads: Sequence[tuple[Load, int]]


Advance = Callable[[Load], None]
"""Receives the load of each finished request, except those of a warm-up."""


async def measure(plan: Plan, advance: Advance) -> Bench:
    """Execute all runs, one after the other.

    Raises:
        EmotionLLaMAError: the server does not answer.
    """
    started = datetime.now(timezone.utc)
    async with _connect(plan) as http:
        server = await read_facts(http)
        target = Target(http, server.model, plan.settings.max_tokens)
        deck = Deck(plan.clips)
        measurement = _Measurement(plan.settings, target, deck, advance)
        runs = [await measurement.run(load, requests) for load, requests in plan.loads]
    return Bench(
        client_version=__version__,
        started=started,
        settings=plan.settings,
        server=server,
        machine=Machine(
            system=platform.platform(), python=platform.python_version(), cpus=os.cpu_count()
        ),
        runs=runs,
    )


def _connect(plan: Plan) -> httpx2.AsyncClient:
    """Return a client whose requests never wait for a connection."""
    limits = httpx2.Limits(
        max_connections=None, max_keepalive_connections=None, keepalive_expiry=_IDLE
    )
    arguments = Connection.to(plan.server).client_arguments(plan.api_key, _SILENCE)
    return httpx2.AsyncClient(**arguments, limits=limits)


class _Measurement:
    """Executes the runs in turn; each continues with the clips after those of the last run."""

    def __init__(self, settings: Settings, target: Target, deck: Deck, advance: Advance) -> None:
        self._route, self._questions = ROUTES[settings.route], settings.questions_per_clip
        self._target, self._deck, self._advance = target, deck, advance

    async def run(self, load: Load, requests: int) -> Run:
        await self._warm_up(load)
        before = await read_counters(self._target.http)
        began = time.perf_counter()

        async def ask_and_tell(question: Question) -> Record:
            record = await ask(self._route, self._target, question, began)
            self._advance(load)
            return record

        records = await load.run(ask_and_tell, self._deck, requests, self._questions)
        seconds = time.perf_counter() - began
        after = await read_counters(self._target.http)
        return Run(
            concurrency=None if isinstance(load, OpenLoop) else load.concurrency,
            rate=load.rate if isinstance(load, OpenLoop) else None,
            sent_per_second=_sent_per_second(records) if isinstance(load, OpenLoop) else None,
            figures=Figures.of(records, seconds),
            prefix_cache_hits=after.share(before, "prefix_cache"),
            mm_cache_hits=after.share(before, "mm_cache"),
            clips_reused=self._deck.has_begun_again,
            records=records,
        )

    async def _warm_up(self, load: Load) -> None:
        """Open the connections with questions about one clip, which is not used again."""
        first, *others = self._deck.next_clip(load.warm_up)
        began = time.perf_counter()
        await ask(self._route, self._target, first, began)
        await asyncio.gather(*(ask(self._route, self._target, other, began) for other in others))


def _sent_per_second(records: Sequence[Record]) -> float | None:
    starts = [record.start for record in records]
    return (len(starts) - 1) / (max(starts) - min(starts)) if len(starts) > 1 else None
