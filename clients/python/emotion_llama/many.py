"""Runs a function for many clips at once, and holds the options and the result of each clip."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from itertools import islice
from os import PathLike
from typing import Any, TypeVar

from emotion_llama.options import Options
from emotion_llama.schema import EmotionResponse

Item = TypeVar("Item")
Result = TypeVar("Result")

OwnOptions = Callable[[str | PathLike[str]], Options]
"""Maps the path of a clip to its own options."""


def no_own_options(_: str | PathLike[str]) -> Options:
    """Return no further options for any clip."""
    return {}


@dataclass(frozen=True)
class Analysis:
    """Holds the answer about one clip, or its error."""

    video_path: str | PathLike[str]
    response: EmotionResponse | None
    error: Exception | None
    """The error: an EmotionLLaMAError, or an OSError if the file itself cannot be read."""


def in_threads(
    function: Callable[[Item], Result], items: Iterable[Item], concurrency: int
) -> Generator[Result]:
    """Yield the result of each item when it is ready; take an item when there is room."""
    left = iter(items)
    with ThreadPoolExecutor(concurrency) as pool:
        working: set[Future[Result]] = set()
        while True:
            room = concurrency - len(working)
            working |= {pool.submit(function, item) for item in islice(left, room)}
            if not working:
                return
            done, working = wait(working, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)


async def in_tasks(
    function: Callable[[Item], Coroutine[Any, Any, Result]],
    items: Iterable[Item],
    concurrency: int,
) -> AsyncGenerator[Result]:
    """Do the same as in_threads; the end of the loop cancels what is not ready."""
    left = iter(items)
    working: set[asyncio.Task[Result]] = set()
    try:
        while True:
            room = concurrency - len(working)
            working |= {asyncio.create_task(function(item)) for item in islice(left, room)}
            if not working:
                return
            done, working = await asyncio.wait(working, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield task.result()
    finally:
        for unfinished in working:
            unfinished.cancel()
