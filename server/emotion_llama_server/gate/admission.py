"""Limits how many requests run at once and for how long, and ends them with the server."""

import asyncio
import math
import time
from collections import Counter, deque
from collections.abc import Callable

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emotion_llama.schema import EVENT_STREAM
from emotion_llama_server import paths
from emotion_llama_server.emotion.formats import server_sent
from emotion_llama_server.errors import Failure, describe, failure_response, openai_error, path_of
from emotion_llama_server.gate.caller import (
    ABORT,
    caller_of,
    is_work,
    key_name,
    line_key,
    owner_of,
    refuse,
)
from emotion_llama_server.settings import ServerSettings
from emotion_llama_vllm import metrics
from emotion_llama_vllm.metrics import Reason
from emotion_llama_vllm.shares import BATCH, Asker, Shares, asking, turns_of, with_reserve
from emotion_llama_vllm.telemetry import stage

_RETRY_SECONDS = 2
_LEAVE_SECONDS = 5
"""Seconds for a request to end by itself after its route heard that the client is gone."""
_KEEPING = (paths.FILES, paths.BATCHES)
"""The routes that do not ask the model themselves."""
_PRIORITY = b"x-vllm-priority"
"""The header in which vLLM's own routes read a request's place in the engine's queue."""
_TELL_SECONDS = 5
"""Seconds for a client to receive the error that ends its request."""


class Doorkeeper:
    """Counts the requests inside and can refuse new ones; both ports share it.

    Each key, or each address if there are no keys, has a share. Half as many places as one of them
    may take are kept for the others.

    Args:
        settings: the operator's settings, of which the numbers of requests that run or wait at
            once are for one owner; further requests are refused.
    """

    def __init__(self, settings: ServerSettings) -> None:
        self.seconds = settings.request_timeout
        """The deadline of each request."""
        each = settings.max_in_flight
        self._slots: Shares[str] = Shares(with_reserve(each), each)
        self._max_waiting = settings.max_waiting
        self._visits: set[Visit] = set()
        self._owners: Counter[str] = Counter()
        self._lines = 0
        self._last_asked = -math.inf
        self.on_asked: Callable[[], None] = lambda: None
        """Is called when a request comes that asks the model and is no line of a batch."""
        self.closed: HTTPException | None = None
        """The error for every new request after the door has closed; None while it is open."""

    @property
    def inside(self) -> int:
        """Return the number of requests that were accepted and have no answer yet."""
        return len(self._visits)

    @property
    def working(self) -> int:
        """Return the number of requests that have a slot."""
        return self._slots.taken

    @property
    def waiting(self) -> int:
        """Return the number of requests that wait for a slot."""
        return self.inside - self._lines - self.working

    @property
    def quiet_seconds(self) -> float:
        """Return for how long nobody has waited for the model, not counting batches."""
        if any(visit.asks and not visit.is_line for visit in self._visits):
            return 0
        return time.monotonic() - self._last_asked

    def is_alone(self, owner: str) -> bool:
        """Return whether the owner's running request meets no other; lines of batches give way."""
        return (self.inside if owner == BATCH else self.working) <= 1

    def has_free_slot(self, owner: str) -> bool:
        """Return whether the owner's next request gets a slot at once."""
        return self._slots.has_room(owner)

    def refusal(self, owner: str) -> tuple[HTTPException, Reason] | None:
        """Return the error of the owner's next request, and its name in the metrics, or None."""
        if self.closed is not None:
            return self.closed, "closed"
        if owner == BATCH or self.has_free_slot(owner):
            return None
        if self.waiting >= with_reserve(self._max_waiting):
            words = "The server has more requests than it can take; try again."
            return _unavailable(words), "overload"
        if self._owners[owner] - self._slots.held(owner) >= self._max_waiting:
            words = "This client has more requests than it may have at once; try again."
            return _unavailable(words), "share"
        return None

    def close(self, words: str) -> None:
        """Refuse new requests; those inside may finish."""
        self.closed = _unavailable(words)

    def turn_out(self, words: str) -> None:
        """Close the door, and end all requests inside with an error."""
        self.close(words)
        for visit in list(self._visits):
            visit.end(_unavailable(words))

    def enter(self, visit: "Visit") -> None:
        """Count a request as inside; it waits until it has a slot."""
        self._visits.add(visit)
        self._owners[visit.owner] += 1
        self._lines += visit.is_line
        if visit.asks and not visit.is_line:
            self.on_asked()
        self._show()

    def leave(self, visit: "Visit") -> None:
        """Count a request as finished."""
        self._visits.discard(visit)
        self._owners[visit.owner] -= 1
        self._lines -= visit.is_line
        if visit.asks and not visit.is_line:
            self._last_asked = time.monotonic()
        if not self._owners[visit.owner]:
            del self._owners[visit.owner]
        self._show()

    async def take_slot(self, owner: str) -> None:
        """Wait for a slot; an owner's requests get their slots in the order of their arrival."""
        with stage("queue"):
            await self._slots.acquire(owner)
        self._show()

    def free_slot(self, owner: str) -> None:
        """Release a slot."""
        self._slots.release(owner)
        self._show()

    def _show(self) -> None:
        metrics.waiting.set(self.waiting)
        metrics.in_flight.set(self.working)


class Admission:
    """Admits a limited number of work requests at once, each for a limited time."""

    def __init__(self, app: ASGIApp, doorkeeper: Doorkeeper) -> None:
        self._app, self._doorkeeper = app, doorkeeper

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not is_work(scope):
            await self._app(scope, receive, send)
            return
        owner = owner_of(caller_of(scope)) if line_key(scope) is None else BATCH
        if (refusal := self._doorkeeper.refusal(owner)) is not None:
            error, reason = refusal
            await refuse(scope, receive, send, error=error, reason=reason)
            return
        key = key_name(scope)
        asking.set(Asker(owner, key, is_alone=lambda: self._doorkeeper.is_alone(owner)))
        with turns_of(owner).take(owner) as turn:
            _set_priority(scope, turn)
            await self._let_in(Visit(scope, receive, send, owner))

    async def _let_in(self, visit: "Visit") -> None:
        self._doorkeeper.enter(visit)
        try:
            await visit.run(self._app, self._doorkeeper)
        finally:
            self._doorkeeper.leave(visit)


def _set_priority(scope: Scope, turn: int) -> None:
    """Replace the request's priority in vLLM's queue with the turn that the gate gives it."""
    others = [(name, value) for name, value in scope["headers"] if name != _PRIORITY]
    scope["headers"] = [*others, (_PRIORITY, str(turn).encode())]


class Visit:
    """Handles one request inside.

    Routes of vLLM and of this server end their work when they hear that the client is gone.
    Therefore whoever ends a request early sends the route exactly that message, and answers in its
    place.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send, owner: str) -> None:
        self._scope, self._receive, self._send = scope, receive, send
        self.owner, self.is_line = owner, owner == BATCH
        self.asks = paths.label(path_of(scope)) not in _KEEPING
        self._kept: deque[Message] = deque()
        self._ending: asyncio.Future[HTTPException] = asyncio.get_running_loop().create_future()
        self._told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when the route may hear that its client is gone. If the route heard it while it
        waits for a client that does not read, it would be cancelled outside of its generator, which
        would then live on."""
        self._is_read = False
        self._has_started = self._has_ended = self._is_stream = False

    def end(self, error: HTTPException) -> None:
        """End the request with this error as soon as possible."""
        if not self._ending.done():
            self._ending.set_result(error)

    async def run(self, app: ASGIApp, doorkeeper: Doorkeeper) -> None:
        """Wait for a slot and have the request answered; return when its work has ended."""
        timer = asyncio.get_running_loop().call_later(doorkeeper.seconds, self._expire, doorkeeper)
        try:
            if self.is_line:  # the runner of batches limits how many there are
                await self._work(app)
            elif await self._wait_for_slot(doorkeeper):
                try:
                    await self._work(app)
                finally:
                    doorkeeper.free_slot(self.owner)
        finally:
            timer.cancel()

    def _expire(self, doorkeeper: Doorkeeper) -> None:
        status = 504 if self._is_read else 408
        words = f"The request took over {doorkeeper.seconds:g} s, the limit of this server."
        metrics.refuse("deadline")
        self.end(HTTPException(status, words))

    async def _wait_for_slot(self, doorkeeper: Doorkeeper) -> bool:
        """Wait for a slot; return False if the client left before."""
        if doorkeeper.has_free_slot(self.owner):
            await doorkeeper.take_slot(self.owner)
            return True
        slot = asyncio.ensure_future(doorkeeper.take_slot(self.owner))
        gone = asyncio.ensure_future(self._listen())
        await asyncio.wait({slot, gone, self._ending}, return_when=asyncio.FIRST_COMPLETED)
        is_in_time = slot.done() and not self._ending.done()
        await _cancel(gone)
        if is_in_time:
            slot.result()
            return True
        await _cancel(slot)
        if not slot.cancelled():
            doorkeeper.free_slot(self.owner)
        await self._tell_end()
        return False

    async def _listen(self) -> None:
        """Wait until the client has left; read at most one more piece of its body."""
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
                if not is_answered:  # otherwise the connection may carry its next request
                    self._hang_up()
        if not self._has_ended or not self._ending.done():
            await work
        else:
            await asyncio.gather(work, return_exceptions=True)

    async def _hear(self) -> Message:
        """Return the next message for the route."""
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
        """Send the route's message unless the request was ended in its place."""
        if self._has_ended:
            return
        if message["type"] == "http.response.start":
            self._has_started = True
            headers = dict(message["headers"])
            self._is_stream = headers.get(b"content-type", b"").startswith(EVENT_STREAM.encode())
        elif not message.get("more_body"):
            self._has_ended = True
        await self._send(message)

    async def _tell_end(self) -> None:
        """Send the error in the route's place; hang up if the client does not read it."""
        if self._has_ended or not self._ending.done():
            return
        self._has_ended = True
        try:
            async with asyncio.timeout(_TELL_SECONDS):
                await self._send_error(describe(self._ending.result()))
        except TimeoutError:
            self._hang_up()

    async def _send_error(self, failure: Failure) -> None:
        """Send an error, whatever part of the response was sent before."""
        if not self._has_started:
            await failure_response(self._scope, failure)(self._scope, self._receive, self._send)
            return
        body = server_sent(openai_error(failure)).encode() if self._is_stream else b""
        await self._send({"type": "http.response.body", "body": body})

    def _hang_up(self) -> None:
        """Close the connection without waiting for the client, if the server supports this."""
        extension = self._scope.get("extensions", {}).get(ABORT)
        if extension is not None:
            extension["abort"]()


async def _cancel(task: asyncio.Future[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def _unavailable(words: str) -> HTTPException:
    return HTTPException(503, words, {"Retry-After": str(_RETRY_SECONDS)})
