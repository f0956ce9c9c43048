"""Keeps a few objects for a short time between two requests of a client."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

from starlette.exceptions import HTTPException

from emotion_llama_vllm.shares import Shares, with_reserve

_T = TypeVar("_T")


class Kept(Generic[_T]):
    """Holds objects for their owners, and drops those that nobody requests.

    Args:
        places: the number of places of one owner; half as many more exist for the others.
        seconds: how long an object is kept.
        drop: called with each object that nobody requested.
    """

    def __init__(self, places: int, seconds: float, drop: Callable[[_T], object]) -> None:
        self._shares: Shares[str] = Shares(with_reserve(places), places)
        self._seconds, self._drop = seconds, drop
        self._things: dict[tuple[str, str], tuple[_T, int, asyncio.TimerHandle]] = {}

    def check_room(self, owner: str, places: int = 1) -> None:
        """Check that the owner may hold further places now.

        Raises:
            HTTPException: the owner has no place left.
        """
        if not self._shares.has_room(owner, places):
            words = "The server cannot keep more data for this client now; try again."
            raise HTTPException(503, words, {"Retry-After": "2"})

    async def put(self, owner: str, name: str, thing: _T, places: int = 1) -> None:
        """Keep an object for which `check_room` has just found places.

        Args:
            owner: the owner, who may take it.
            name: a name that no other object of the owner has.
            thing: the object.
            places: the number of places that it needs, at least 1.
        """
        held = await self._shares.acquire(owner, places)
        timer = asyncio.get_running_loop().call_later(self._seconds, self._expire, owner, name)
        self._things[owner, name] = thing, held, timer

    def find(self, owner: str, name: str) -> _T | None:
        """Return the owner's object of this name if it is kept, and keep it."""
        found = self._things.get((owner, name))
        return None if found is None else found[0]

    def take(self, owner: str, name: str) -> _T | None:
        """Return the owner's object of this name if it is kept, and remove it."""
        if (found := self._things.pop((owner, name), None)) is None:
            return None
        thing, held, timer = found
        timer.cancel()
        self._shares.release(owner, held)
        return thing

    def _expire(self, owner: str, name: str) -> None:
        if (thing := self.take(owner, name)) is not None:
            self._drop(thing)
