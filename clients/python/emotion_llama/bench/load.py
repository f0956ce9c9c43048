"""Schedules requests: after each answer (closed loop), or at planned times (open loop)."""

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from itertools import islice

import anyio

from emotion_llama.bench.clips import Deck, Question
from emotion_llama.bench.figures import Record

Ask = Callable[[Question], Coroutine[None, None, Record]]

_FEWEST = 32
_OPEN_SECONDS = 30
_OPEN_WARM_UP = 4


@dataclass(frozen=True)
class ClosedLoop:
    """Represents `concurrency` users, each of whom sends the next request after each answer."""

    concurrency: int

    @property
    def name(self) -> str:
        return f"concurrency {self.concurrency}"

    @property
    def warm_up(self) -> int:
        """Return the number of warm-up requests: one for each user opens all connections."""
        return self.concurrency

    def default_requests(self, questions_per_clip: int) -> int:
        """Return a number of requests for two clips or eight requests of each user."""
        return max(_FEWEST, self.concurrency * max(8, 2 * questions_per_clip))

    async def run(
        self, ask: Ask, deck: Deck, requests: int, questions_per_clip: int
    ) -> list[Record]:
        """Send so many requests; one user sends all questions about a clip, one after the other."""
        records: list[Record] = []
        sent = 0

        async def user() -> None:
            nonlocal sent
            while sent < requests:
                for question in deck.next_clip(questions_per_clip):
                    if sent == requests:
                        return
                    sent += 1
                    records.append(await ask(question))

        async with anyio.create_task_group() as users:
            for _ in range(self.concurrency):
                users.start_soon(user)
        return records


@dataclass(frozen=True)
class OpenLoop:
    """Represents `rate` requests per second from many independent users.

    The times between two requests are exponentially distributed (a Poisson process), and the same
    for each seed.
    """

    rate: float
    seed: int = 0

    @property
    def name(self) -> str:
        return f"{self.rate:g} requests/s"

    @property
    def warm_up(self) -> int:
        return _OPEN_WARM_UP

    def default_requests(self, questions_per_clip: int) -> int:
        """Return a number of requests for half a minute."""
        return max(_FEWEST, round(self.rate * _OPEN_SECONDS))

    async def run(
        self, ask: Ask, deck: Deck, requests: int, questions_per_clip: int
    ) -> list[Record]:
        """Send so many requests, without waiting for earlier ones."""
        draw = random.Random(self.seed)  # noqa: S311
        now = asyncio.get_running_loop().time
        due = now()
        records: list[Record] = []

        async def send(question: Question) -> None:
            records.append(await ask(question))

        async with anyio.create_task_group() as users:
            for question in islice(_questions(deck, questions_per_clip), requests):
                await asyncio.sleep(due - now())
                users.start_soon(send, question)
                due += draw.expovariate(self.rate)  # the plan's time, so that delays do not add up
        return records


Load = ClosedLoop | OpenLoop


def _questions(deck: Deck, questions_per_clip: int) -> Iterator[Question]:
    while True:
        yield from deck.next_clip(questions_per_clip)
