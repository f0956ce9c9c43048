"""Ends the engine's processes when the server that started them ends in any way.

Otherwise vLLM's engine would wait for requests for ever after a kill of its server, and the next
server would not get the GPU's memory.
"""

import contextlib
import functools
import multiprocessing
import multiprocessing.util
import os
import signal
import threading
import time

SERVER_PID = "EMOTION_LLAMA_SERVER_PID"
"""The environment variable in which `emotion-llama serve` gives its descendants its process id."""

_OF_THE_TERMINAL = (signal.SIGINT, signal.SIGHUP)
_LOOK_SECONDS = 0.5
_LEAVE_SECONDS = 3


def announce_server() -> None:
    """Make the engine's processes that this process starts from now on end together with it."""
    os.environ[SERVER_PID] = str(os.getpid())
    # A forked process has loaded vLLM's plugins already and does not load them again.
    multiprocessing.util.register_after_fork(_begin_as_a_copy, lambda begin: begin())


def is_server() -> bool:
    """Return whether this process has announced itself as the server."""
    return os.environ.get(SERVER_PID) == str(os.getpid())


@functools.cache
def end_with_server() -> None:
    """Watch the server if this process belongs to the server's engine.

    A program that uses vLLM as a library announces no server: it ends its engine itself, and may
    continue after its own parent has ended.
    """
    if SERVER_PID in os.environ and multiprocessing.parent_process() is not None:
        _ignore_the_terminal()
        _watch_server()


def _begin_as_a_copy() -> None:
    """Ignore Ctrl+C and a closed terminal as `_ignore_the_terminal` does, and watch the server.

    vLLM sets its handlers later, so the signals are blocked; the only thread is the main one yet.
    """
    signal.set_wakeup_fd(-1)  # otherwise a signal to this process would wake the server's loop
    signal.pthread_sigmask(signal.SIG_BLOCK, _OF_THE_TERMINAL)
    _watch_server()


def _ignore_the_terminal() -> None:
    """Ignore Ctrl+C and a closed terminal, so that the engine can finish the server's work."""
    if threading.current_thread() is threading.main_thread():
        for number in _OF_THE_TERMINAL:
            signal.signal(number, signal.SIG_IGN)


def _watch_server() -> None:
    parent, server = os.getppid(), int(os.environ[SERVER_PID])
    watch = threading.Thread(
        target=_end_after, args=(parent, server), name="watch-server", daemon=True
    )
    watch.start()


def _end_after(parent: int, server: int) -> None:
    """End this process after its parent ends; the server may have ended before this call."""
    while _descends_from(server) and os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_LEAVE_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


def _descends_from(server: int) -> bool:
    """Return whether a process is an ancestor of this one and runs."""
    import psutil

    while True:
        # An ancestor that ends while its own parent is looked up is an error of psutil.
        with contextlib.suppress(psutil.NoSuchProcess):
            return server in {process.pid for process in psutil.Process().parents()}
