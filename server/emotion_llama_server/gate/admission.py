"""How many requests are worked on at once, for how long, and their end when the server ends."""

import asyncio
from collections import Counter, deque

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emotion_llama_server.errors import Failure, describe, failure_response, openai_error
from emotion_llama_server.gate.caller import ABORT, caller_of, is_work, owner_of, refuse
from emotion_llama_vllm import metrics
from emotion_llama_vllm.shares import Asker, Shares, asking, turns, with_reserve

_RETRY_SECONDS = 2
_LEAVE_SECONDS = 5
"""For a request to end by itself after it was told that its client is gone."""
_PRIORITY = b"x-vllm-priority"
"""The header in which vLLM's own routes look for a request's place in the engine's queue."""
_TELL_SECONDS = 5
"""For a client to take the words by which its request is ended."""


class Doorkeeper:
    """Counts who is inside, and can close the door; shared by both ports.

    Keys, or addresses where there are none, have shares: half as many places as one of them may
    take are kept for the others.

    Args:
        max_in_flight: requests of one owner that are worked on at once.
        max_waiting: requests of one owner that wait for a slot; more are refused.
        seconds: for each request.
    """

    def __init__(self, *, max_in_flight: int, max_waiting: int, seconds: float) -> None:
        self.seconds = seconds
        self._slots: Shares[str] = Shares(with_reserve(max_in_flight), max_in_flight)
        self._max_waiting = max_waiting
        self._visits: set[Visit] = set()
        self._owners: Counter[str] = Counter()
        self.closed: HTTPException | None = None
        """Why nobody is let in any more."""

    @property
    def inside(self) -> int:
        """Requests that were accepted and have no answer yet."""
        return len(self._visits)

    @property
    def working(self) -> int:
        """Requests that have a slot."""
        return self._slots.taken

    @property
    def waiting(self) -> int:
        """Requests that wait for a slot."""
        return self.inside - self.working

    def has_free_slot(self, owner: str) -> bool:
        """Tell whether the owner's next request gets a slot at once."""
        return self._slots.has_room(owner)

    def refusal(self, owner: str) -> tuple[HTTPException, str] | None:
        """Return why the owner's next request is refused, and the reason's name in the metrics."""
        if self.closed is not None:
            return self.closed, "closed"
        if self.has_free_slot(owner):
            return None
        if self.waiting >= with_reserve(self._max_waiting):
            words = "The server has more requests than it can take; try again."
            return _unavailable(words), "overload"
        if self._owners[owner] - self._slots.held(owner) >= self._max_waiting:
            words = "The server has more requests of this client than it takes at once; try again."
            return _unavailable(words), "share"
        return None

    def close(self, words: str) -> None:
        """Accept nothing any more; who is inside may finish."""
        self.closed = _unavailable(words)

    def turn_out(self, words: str) -> None:
        """Close, and end what is inside with an error."""
        self.close(words)
        for visit in list(self._visits):
            visit.end(_unavailable(words))

    def enter(self, visit: "Visit") -> None:
        """Count a request in, which waits from now on until it has a slot."""
        self._visits.add(visit)
        self._owners[visit.owner] += 1
        self._show()

    def leave(self, visit: "Visit") -> None:
        """Count a request out."""
        self._visits.discard(visit)
        self._owners[visit.owner] -= 1
        if not self._owners[visit.owner]:
            del self._owners[visit.owner]
        self._show()

    async def take_slot(self, owner: str) -> None:
        """Wait for a slot; of one owner's requests the first to come is the first to get one."""
        with metrics.queue_seconds.time():
            await self._slots.acquire(owner)
        self._show()

    def free_slot(self, owner: str) -> None:
        """Give a slot back."""
        self._slots.release(owner)
        self._show()

    def _show(self) -> None:
        metrics.waiting.set(self.waiting)
        metrics.in_flight.set(self.working)


class Admission:
    """Lets requests for work in, a limited number at once and each for a limited time."""

    def __init__(self, app: ASGIApp, doorkeeper: Doorkeeper) -> None:
        self._app, self._doorkeeper = app, doorkeeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_work(scope):
            await self._app(scope, receive, send)
            return
        owner = owner_of(caller_of(scope))
        if (refusal := self._doorkeeper.refusal(owner)) is not None:
            error, reason = refusal
            await refuse(scope, receive, send, error=error, reason=reason)
            return
        asking.set(Asker(owner, is_alone=lambda: self._doorkeeper.working <= 1))
        with turns.take(owner) as turn:
            _set_priority(scope, turn)
            await self._let_in(Visit(scope, receive, send, owner))

    async def _let_in(self, visit: "Visit") -> None:
        self._doorkeeper.enter(visit)
        try:
            await visit.run(self._app, self._doorkeeper)
        finally:
            self._doorkeeper.leave(visit)


def _set_priority(scope: Scope, turn: int) -> None:
    """Have vLLM's routes send the request to the engine in its turn, whatever it says itself."""
    others = [(name, value) for name, value in scope["headers"] if name != _PRIORITY]
    scope["headers"] = [*others, (_PRIORITY, str(turn).encode())]


class Visit:
    """One request inside.

    Routes end their work when they hear that the client is gone, be it vLLM's or ours: so whatever
    ends a request early tells them just that, and answers in their place.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, owner: str) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self.owner = owner
        self._kept: deque[Message] = deque()
        self._ending: asyncio.Future[HTTPException] = asyncio.get_running_loop().create_future()
        self._told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the route may hear that its client is gone. While it waits for a client that
        does not read it would be cancelled outside of its generator, which would then live on."""
        self._is_read = False
        self._has_started = self._has_ended = self._is_stream = False

    def end(self, error: HTTPException) -> None:
        """End the request with this error, as soon as may be."""
        if not self._ending.done():
            self._ending.set_result(error)

    async def run(self, app: ASGIApp, doorkeeper: Doorkeeper) -> None:
        """Wait for a slot and have the request answered; return when its work has ended."""
        timer = asyncio.get_running_loop().call_later(doorkeeper.seconds, self._expire, doorkeeper)
        try:
            if await self._wait_for_slot(doorkeeper):
                try:
                    await self._work(app)
                finally:
                    doorkeeper.free_slot(self.owner)
        finally:
            timer.cancel()

    def _expire(self, doorkeeper: Doorkeeper) -> None:
        status = 504 if self._is_read else 408
        words = f"The request took over {doorkeeper.seconds:g} s, the most that this server gives."
        metrics.refusals.labels("deadline").inc()
        self.end(HTTPException(status, words))

    async def _wait_for_slot(self, doorkeeper: Doorkeeper) -> bool:
        """Whether there is still somebody to answer when there is a slot."""
        if doorkeeper.has_free_slot(self.owner):
            await doorkeeper.take_slot(self.owner)
            return True
        slot = asyncio.ensure_future(doorkeeper.take_slot(self.owner))
        gone = asyncio.ensure_future(self._listen())
        await asyncio.wait({slot, gone, self._ending}, return_when=asyncio.FIRST_COMPLETED)
        is_in_time = slot.done() and not self._ending.done()
        await _cancel(gone)
        if is_in_time:
            return True
        await _cancel(slot)
        if not slot.cancelled():
            doorkeeper.free_slot(self.owner)
        await self._tell_end()
        return False

    async def _listen(self) -> None:
        """Wait until the client has left, reading no more of its body than a first piece."""
        while True:
            message = await self._receive()
            self._kept.append(message)
            if message["type"] == "http.disconnect":
                return
            if message.get("more_body"):
                await asyncio.Event().wait()

    async def _work(self, app: ASGIApp) -> None:
        work = asyncio.ensure_future(app(self._scope, self._hear, self._say))
        is_answered = False
        try:
            await asyncio.wait({work, self._ending}, return_when=asyncio.FIRST_COMPLETED)
            is_answered = self._has_ended
            if not work.done() and not is_answered:
                await self._tell_end()
                self._told.set_result(None)
                await asyncio.wait({work}, timeout=_LEAVE_SECONDS)
        finally:
            if not work.done():
                work.cancel()
                if not is_answered:  # else the connection may have its next request
                    self._hang_up()
        if not self._has_ended or not self._ending.done():
            await work
        else:
            await asyncio.gather(work, return_exceptions=True)

    async def _hear(self) -> Message:
        """What the route receives."""
        if self._kept:
            message = self._kept.popleft()
        elif self._told.done():
            return {"type": "http.disconnect"}
        else:
            message = await self._receive_or_end()
        if message["type"] == "http.request" and not message.get("more_body"):
            self._is_read = True
        return message

    async def _receive_or_end(self) -> Message:
        receiving = asyncio.ensure_future(self._receive())
        try:
            await asyncio.wait({receiving, self._told}, return_when=asyncio.FIRST_COMPLETED)
            return receiving.result() if receiving.done() else {"type": "http.disconnect"}
        finally:
            receiving.cancel()

    async def _say(self, message: Message) -> None:
        """Send what the route sends, unless the request was ended in its place."""
        if self._has_ended:
            return
        if message["type"] == "http.response.start":
            self._has_started = True
            headers = dict(message["headers"])
            self._is_stream = headers.get(b"content-type", b"").startswith(b"text/event-stream")
        elif not message.get("more_body"):
            self._has_ended = True
        await self._send(message)

    async def _tell_end(self) -> None:
        """Answer in the route's place; hang up on a client that does not read even that."""
        if self._has_ended or not self._ending.done():
            return
        self._has_ended = True
        try:
            async with asyncio.timeout(_TELL_SECONDS):
                await self._send_error(describe(self._ending.result()))
        except TimeoutError:
            self._hang_up()

    async def _send_error(self, failure: Failure) -> None:
        """Send an error in whatever state the response is."""
        if not self._has_started:
            await failure_response(self._scope, failure)(self._scope, self._receive, self._send)
            return
        event = f"event: error\ndata: {openai_error(failure).model_dump_json()}\n\n"
        body = event.encode() if self._is_stream else b""
        await self._send({"type": "http.response.body", "body": body})

    def _hang_up(self) -> None:
        """Close the connection without waiting for the client, where the server can."""
        extension = self._scope.get("extensions", {}).get(ABORT)
        if extension is not None:
            extension["abort"]()


async def _cancel(task: asyncio.Future[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _unavailable(words: str) -> HTTPException:
    return HTTPException(503, words, {"Retry-After": str(_RETRY_SECONDS)})
