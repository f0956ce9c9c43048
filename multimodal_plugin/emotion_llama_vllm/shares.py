"""Shares a limited resource between owners, so that no owner can take all of it.

An owner is the holder of a key, or an address if the server has no keys.
"""

import sys
from asyncio import Future, Task, TaskGroup, get_running_loop
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Hashable
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

UNLIMITED = sys.maxsize

_Owner = TypeVar("_Owner", bound=Hashable)
_T = TypeVar("_T")


def with_reserve(places: int) -> int:
    """Return the total of places: `places` for one owner, and half as many for the others."""
    return places + (places + 1) // 2


@dataclass(frozen=True, eq=False)
class Asker:
    """Represents the request for which the code runs; each is equal to itself alone."""

    owner: str = ""
    key: str = ""
    """The name of the request's key, to which its files belong; empty on a server without keys."""
    is_alone: Callable[[], bool] = lambda: True
    """A function that returns whether no other request is running."""
    is_background: bool = False
    """True in the long part of a request, for whose result the client does not wait at once."""

    @property
    def holder(self) -> str:
        """Return the name of those who may find in a cache what this request leaves there."""
        return f"{self.owner} {self.key}"


_NOBODY = Asker()
asking: ContextVar[Asker] = ContextVar("asking", default=_NOBODY)
"""The current request, which tasks inherit; the gate sets it."""


class Shares(Generic[_Owner]):
    """Holds places of which each owner may take a limited number.

    A free place goes to the waiting owner that holds the fewest places, and among its requests to
    the first one.

    Args:
        places: the number of places.
        each: the number of places that one owner may hold, at least 1; a function is called at each
            turn.
    """

    def __init__(self, places: int, each: int | Callable[[_Owner], int]) -> None:
        self._free, self._most = places, places
        self._each = each
        self._held: Counter[_Owner] = Counter()
        self._queues: dict[_Owner, dict[Future[None], int]] = {}

    @property
    def taken(self) -> int:
        """Return how many places all owners hold together."""
        return self._most - self._free

    def held(self, owner: _Owner) -> int:
        """Return how many places the owner holds."""
        return self._held[owner]

    def has_room(self, owner: _Owner, places: int = 1) -> bool:
        """Return whether the owner may take this many places now."""
        return self._free >= places and self._held[owner] + places <= self._limit(owner)

    @asynccontextmanager
    async def take(self, owner: _Owner, places: int = 1) -> AsyncGenerator[None, None]:
        """Hold places while the block runs; wait until they are free.

        Args:
            owner: the owner whose share they are taken from.
            places: the number of places, limited to the owner's limit.
        """
        taken = await self.acquire(owner, places)
        try:
            yield
        finally:
            self.release(owner, taken)

    async def start(
        self, group: TaskGroup, owner: _Owner, job: Callable[[], Coroutine[Any, Any, _T]]
    ) -> Task[_T]:
        """Wait for a place, then start a task that holds it; a waiting job uses no memory yet."""
        places = await self.acquire(owner)
        task = group.create_task(job())
        task.add_done_callback(lambda _: self.release(owner, places))
        return task

    async def acquire(self, owner: _Owner, places: int = 1) -> int:
        """Wait for places and return their number, which the caller gives back with `release`."""
        wanted = max(1, min(places, self._limit(owner), self._most))
        turn: Future[None] = get_running_loop().create_future()
        self._queues.setdefault(owner, {})[turn] = wanted
        self._hand_out()
        if not turn.done():
            try:
                await turn
            except BaseException:
                self._withdraw(owner, turn, wanted)
                raise
        return wanted

    def release(self, owner: _Owner, places: int = 1) -> None:
        """Give places back."""
        self._free += places
        self._held[owner] -= places
        if not self._held[owner]:
            del self._held[owner]
        self._hand_out()

    def _limit(self, owner: _Owner) -> int:
        return max(1, self._each(owner) if callable(self._each) else self._each)

    def _hand_out(self) -> None:
        """Give free places to the waiting owners in turn."""
        while self._free and (owner := self._next()) is not None:
            turn, wanted = next(iter(self._queues[owner].items()))
            self._forget(owner, turn)
            if not turn.cancelled():
                self._free -= wanted
                self._held[owner] += wanted
                turn.set_result(None)

    def _next(self) -> _Owner | None:
        """Return the waiting owner that gets the next places, or None.

        It holds the fewest places of the owners that may take more. If it wants more than are free,
        only another owner that holds as few goes before it; otherwise owners with more places would
        always be first.
        """
        owners = [owner for owner in self._queues if self._may_take_more(owner)]
        fewest = min((self._held[owner] for owner in owners), default=0)
        fitting = (
            owner
            for owner in owners
            if self._held[owner] == fewest and self._wanted(owner) <= self._free
        )
        return next(fitting, None)

    def _may_take_more(self, owner: _Owner) -> bool:
        held = self._held[owner]
        return not held or held + self._wanted(owner) <= self._limit(owner)

    def _wanted(self, owner: _Owner) -> int:
        """Return how many places the owner's first waiting request wants."""
        return next(iter(self._queues[owner].values()))

    def _withdraw(self, owner: _Owner, turn: Future[None], wanted: int) -> None:
        """Remove a cancelled request from the queue, or give back the places it has just got."""
        if turn.done() and not turn.cancelled():
            self.release(owner, wanted)
        else:
            self._forget(owner, turn)
            self._hand_out()

    def _forget(self, owner: _Owner, turn: Future[None]) -> None:
        queue = self._queues.get(owner, {})
        queue.pop(turn, None)
        if not queue:
            self._queues.pop(owner, None)


class Turns:
    """Numbers requests so that serving the lowest number first serves each owner in turn.

    This is start-time fair queueing: a new owner's request gets a number beside those being served,
    and before the requests that another owner has sent in advance.

    Args:
        first: the first number.
    """

    def __init__(self, first: int = 0) -> None:
        self._now = first
        self._next: dict[str, int] = {}
        self._open: Counter[str] = Counter()

    @contextmanager
    def take(self, owner: str) -> Generator[int, None, None]:
        """Yield the number of a request; the end of the block without an error counts as served."""
        turn = max(self._now, self._next.get(owner, 0))
        self._next[owner] = turn + 1
        self._open[owner] += 1
        try:
            yield turn
            self._now = max(self._now, turn)
        finally:
            self._open[owner] -= 1
            if not self._open[owner]:
                del self._open[owner], self._next[owner]


turns = Turns()
"""The turns at this process's engine."""

BATCH = "batch"
"""The owner of the shares of all batches together, so that they leave others the reserves."""
_last_turns = Turns(first=2**30)
"""The turns of batches, each after those of all requests for which a client waits."""


def turns_of(owner: str) -> Turns:
    """Return what numbers the requests of an owner."""
    return _last_turns if owner == BATCH else turns
