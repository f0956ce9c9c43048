"""Decides when lines of batches are asked, so that they take only what requests leave."""

import asyncio
import time
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, Literal, TypeVar

from emotion_llama_server.gate import Doorkeeper
from emotion_llama_vllm.shares import Shares

_T = TypeVar("_T")
End = asyncio.Future[None]
"""Done when no further line of a batch shall be asked."""
Turn = Literal["among many", "alone", "never"]

QUIET_SECONDS = 1.0
"""Seconds without a request that asks the model, after which lines take all places. Whoever asks
one question after another would otherwise meet a full engine with each."""
_LOOK_SECONDS = 0.1


class MadeWay(Exception):
    """Reports that a line was put back for later, because a request came."""


class Pace:
    """Lets many lines be answered at once while nobody asks the model, and single ones otherwise.

    Args:
        doorkeeper: tells when requests ask the model.
        places: the number of lines at once while nobody does; keys share them in turn.
        single_seconds: the seconds between the starts of two single lines.
    """

    def __init__(self, doorkeeper: Doorkeeper, places: int, single_seconds: float) -> None:
        self._doorkeeper, self._single_seconds = doorkeeper, single_seconds
        self._quiet_seconds = QUIET_SECONDS
        self._places: Shares[str] = Shares(places, places)
        self._starting = asyncio.Lock()
        self._yielding: set[asyncio.Task[Any]] = set()
        self._has_single, self._last_single = False, time.monotonic()
        doorkeeper.on_asked = self._make_way

    async def take_place(self, owner: str, end: End) -> bool:
        """Wait for a place; return False if the batch shall end before."""
        place = asyncio.ensure_future(self._places.acquire(owner))
        try:
            await asyncio.wait({place, end}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            if end.done() or not place.done():
                place.cancel()
                await asyncio.gather(place, return_exceptions=True)
        if not end.done():
            return True
        if not place.cancelled():
            self._places.release(owner)
        return False

    def leave_place(self, owner: str) -> None:
        """Give a place back."""
        self._places.release(owner)

    @asynccontextmanager
    async def turn(self, end: End) -> AsyncGenerator[Turn]:
        """Wait until a line that has a place may be asked; the block asks it."""
        turn = await self._turn(end)
        if turn == "alone":
            self._has_single, self._last_single = True, time.monotonic()
        try:
            yield turn
        finally:
            if turn == "alone":
                self._has_single = False

    async def _turn(self, end: End) -> Turn:
        async with self._starting:
            while not end.done():
                if self._doorkeeper.quiet_seconds >= self._quiet_seconds:
                    return "among many"
                waited = time.monotonic() - self._last_single
                if not self._has_single and waited >= self._single_seconds:
                    return "alone"
                await asyncio.wait({end}, timeout=_LOOK_SECONDS)
        return "never"

    async def ask(self, call: Coroutine[Any, Any, _T], *, yields: bool) -> _T:
        """Return the result of a line's call.

        Args:
            call: makes the call.
            yields: whether the line makes way when a request comes.

        Raises:
            MadeWay: it did.
        """
        if yields and self._doorkeeper.quiet_seconds < self._quiet_seconds:  # since its turn
            call.close()
            raise MadeWay
        task, current = asyncio.ensure_future(call), asyncio.current_task()
        if yields:
            self._yielding.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            if current is not None and current.cancelling():
                raise
            raise MadeWay from None
        finally:
            self._yielding.discard(task)

    def _make_way(self) -> None:
        for task in self._yielding:
            task.cancel()
