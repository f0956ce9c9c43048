"""When requests are sent: as the answers allow (closed loop), or as they come (open loop)."""

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
    """`concurrency` users, each of whom asks on as soon as an answer is there."""

    concurrency: int

    @property
    def name(self) -> str:
        return f"concurrency {self.concurrency}"

    @property
    def warm_up(self) -> int:
        """Requests beforehand: one for each user, so that all connections are there."""
        return self.concurrency

    def default_requests(self, questions_per_clip: int) -> int:
        """Enough for two clips or eight requests of each user."""
        return max(_FEWEST, self.concurrency * max(8, 2 * questions_per_clip))

    async def run(
        self, ask: Ask, deck: Deck, requests: int, questions_per_clip: int
    ) -> list[Record]:
        """Ask so often; all questions about a clip are one user's, one after the other."""
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
    """`rate` requests a second, as many users who do not know of each other send them.

    The times between two of them are exponentially distributed (a Poisson process), and the same
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
        """Half a minute of them."""
        return max(_FEWEST, round(self.rate * _OPEN_SECONDS))

    async def run(
        self, ask: Ask, deck: Deck, requests: int, questions_per_clip: int
    ) -> list[Record]:
        """Ask so often, whatever becomes of the requests before."""
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
                due += draw.expovariate(self.rate)  # of the plan, so that delays do not add up
        return records


Load = ClosedLoop | OpenLoop


def _questions(deck: Deck, questions_per_clip: int) -> Iterator[Question]:
    while True:
        yield from deck.next_clip(questions_per_clip)
