"""What the server keeps from one request of a client to the next: not for long, and not much."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from starlette.exceptions import HTTPException

from emotion_llama_vllm.shares import Shares, with_reserve

_T = TypeVar("_T")


class Kept(Generic[_T]):
    """Things that wait for their owners, and are dropped when nobody comes.

    Args:
        places: how many one owner may hold; half as many more are there for the others.
        seconds: how long a thing is kept.
        drop: called with a thing for which nobody came.
    """

    def __init__(self, places: int, seconds: float, drop: Callable[[_T], object]) -> None:
        self._shares: Shares[str] = Shares(with_reserve(places), places)
        self._seconds, self._drop = seconds, drop
        self._things: dict[tuple[str, str], tuple[_T, int, asyncio.TimerHandle]] = {}

    def check_room(self, owner: str, places: int = 1) -> None:
        """Make sure that the owner may hold further places now.

        Raises:
            HTTPException: it may not.
        """
        if not self._shares.has_room(owner, places):
            words = "The server keeps as much for this client as it can; try again."
            raise HTTPException(503, words, {"Retry-After": "2"})

    async def put(self, owner: str, name: str, thing: _T, places: int = 1) -> None:
        """Keep a thing for which `check_room` found places just now.

        Args:
            owner: who may take it.
            name: one that the owner has given to no other thing.
            thing: what is kept.
            places: how many it takes, at least 1.
        """
        held = await self._shares.acquire(owner, places)
        timer = asyncio.get_running_loop().call_later(self._seconds, self._expire, owner, name)
        self._things[owner, name] = thing, held, timer

    def find(self, owner: str, name: str) -> _T | None:
        """Return the owner's thing of this name, if it is kept; it stays here."""
        found = self._things.get((owner, name))
        return None if found is None else found[0]

    def take(self, owner: str, name: str) -> _T | None:
        """Hand the owner's thing of this name over, if it is kept."""
        if (found := self._things.pop((owner, name), None)) is None:
            return None
        thing, held, timer = found
        timer.cancel()
        self._shares.release(owner, held)
        return thing

    def _expire(self, owner: str, name: str) -> None:
        if (thing := self.take(owner, name)) is not None:
            self._drop(thing)
