"""Threads for calls that can block for ever, such as those to file systems and name servers."""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from emotion_llama_vllm.media.errors import ServerBusy

_T = TypeVar("_T")


class Threads:
    """A pool of at most `most` threads, which no caller and no exit of the process waits for.

    A call into a network file system or a resolver can hang, and no thread can be cancelled. So
    each kind of call has a pool of its own, and a caller that is cancelled leaves at once: its
    call stays behind in its thread, which counts as long as it runs. The threads are daemons, as
    those of `concurrent.futures` would hold up the end of the process.

    Args:
        name: what the threads do, for the names of the threads and the error's words.
        most: calls that run at once.
        wait_seconds: how long a call waits for a thread; None lets it wait as long as its caller.
    """

    def __init__(self, name: str, most: int, wait_seconds: float | None) -> None:
        self._name, self._most, self._wait_seconds = name, most, wait_seconds
        self._waiting: dict[Future[Any], Callable[[], Any]] = {}
        self._changed = threading.Condition()
        self._started = self._idle = 0

    async def run(self, call: Callable[[], _T], discard: Callable[[_T], None] | None = None) -> _T:
        """Return what `call` returns in a thread.

        Args:
            call: may block.
            discard: disposes of the result if the caller is cancelled before it is there.

        Raises:
            ServerBusy: no thread became free in time.
        """
        future: Future[_T] = Future()
        self._submit(future, call)
        answer = asyncio.wrap_future(future)
        try:
            await asyncio.wait([answer], timeout=self._wait_seconds)
            if future.cancel():  # only a call that has not begun can be
                raise ServerBusy(f"The server's {self._name} are all stuck; ask again later.")
            return await answer
        except asyncio.CancelledError:
            answer.cancel()
            if not future.cancel() and discard is not None:
                future.add_done_callback(lambda late: _discard(late, discard))
            raise
        finally:
            with self._changed:
                self._waiting.pop(future, None)

    def _submit(self, future: Future[Any], call: Callable[[], Any]) -> None:
        with self._changed:
            self._waiting[future] = call
            if len(self._waiting) <= self._idle:
                self._changed.notify()
            elif self._started < self._most:
                self._start(future)

    def _start(self, future: Future[Any]) -> None:
        """Start one more thread.

        Raises:
            ServerBusy: the system gives none, and there is no other to wait for.
        """
        thread = threading.Thread(target=self._work, name=self._name, daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            if not self._started:
                del self._waiting[future]
                raise ServerBusy("The server can start no thread now; ask again later.") from error
        else:
            self._started += 1

    def _work(self) -> None:
        while True:
            _run(*self._next())

    def _next(self) -> tuple[Future[Any], Callable[[], Any]]:
        """Wait for a call; the first to come is the first to run."""
        with self._changed:
            self._idle += 1
            while not self._waiting:
                self._changed.wait()
            self._idle -= 1
            future = next(iter(self._waiting))
            return future, self._waiting.pop(future)


def _run(future: Future[Any], call: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:
        future.set_exception(error)
    else:
        future.set_result(result)


def _discard(future: Future[_T], discard: Callable[[_T], None]) -> None:
    if future.exception() is None:
        discard(future.result())


files = Threads("threads for files", 16, wait_seconds=10)
"""Opening and reading what is in the media roots, which may be a network's."""

decoders = Threads("decoders", max(4, os.cpu_count() or 1), wait_seconds=None)
"""Decoding clips that are trusted; a request's own deadline ends its waiting."""

names = Threads("threads for looking up hosts", 16, wait_seconds=10)
"""Asking the resolver."""
