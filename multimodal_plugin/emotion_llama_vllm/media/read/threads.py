"""Runs calls that can block for ever in threads, such as calls to file systems and resolvers."""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

from emotion_llama_vllm.media.errors import ServerBusy

_T = TypeVar("_T")


class Threads:
    """Holds at most `most` threads, for which no caller and no exit of the process waits.

    A call into a network file system or a resolver can hang, and no thread can be cancelled. So
    each kind of call has a pool of its own, and a cancelled caller leaves at once: its call stays
    in its thread, which counts as long as it runs. The threads are daemons, because those of
    `concurrent.futures` would delay the end of the process.

    Args:
        name: the purpose of the threads, for their names and for error messages.
        most: the maximum number of calls that run at once.
        wait_seconds: the maximum time that a call waits for a thread; None means no limit of its
            own.
    """

    def __init__(self, name: str, most: int, wait_seconds: float | None) -> None:
        self._name, self._most, self._wait_seconds = name, most, wait_seconds
        self._waiting: dict[Future[Any], Callable[[], Any]] = {}
        self._changed = threading.Condition()
        self._started = self._idle = 0

    async def run(self, call: Callable[[], _T], discard: Callable[[_T], None] | None = None) -> _T:
        """Return the result of `call`, which runs in a thread.

        Args:
            call: a function that may block.
            discard: a function that disposes of the result if the caller is cancelled before.

        Raises:
            ServerBusy: no thread became free in time.
        """
        future: Future[_T] = Future()
        self._submit(future, call)
        answer = asyncio.wrap_future(future)
        try:
            await asyncio.wait([answer], timeout=self._wait_seconds)
            if future.cancel():  # only a call that has not begun can be cancelled
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
            ServerBusy: the system cannot start a thread, and there is no other to wait for.
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
        """Wait for a call and return it; the first call runs first."""
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
"""The threads that open and read files in the media roots, which may be network folders."""

decoders = Threads("decoders", max(4, os.cpu_count() or 1), wait_seconds=None)
"""The threads that decode trusted clips; a request's own deadline limits its wait."""

names = Threads("threads for looking up hosts", 16, wait_seconds=10)
"""The threads that call the resolver."""
