"""Ends the process without an orderly shutdown, together with all of its children."""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing import resource_tracker
from types import FrameType
from typing import TYPE_CHECKING

from emotion_llama_server.start.log import sentence

if TYPE_CHECKING:
    import psutil

_KILL_SECONDS = 2


def end_signals() -> list[signal.Signals]:
    """Return the signals that end the server; SIGHUP stays ignored under `nohup`."""
    signals = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signals.append(signal.SIGHUP)
    return signals


@contextlib.contextmanager
def at_once_on_signal() -> Iterator[None]:
    """End the process with exit code 0 on any of these signals, before it has accepted requests.

    Only the main thread may set handlers; in other threads the signals stay as they were.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        name = signal.Signals(number).name
        os.write(2, f"{sentence(f'ended by {name} during its start.')}\n".encode())
        end_process(0)

    before = {number: signal.signal(number, end) for number in end_signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def start_tracker() -> None:
    """Start Python's semaphore tracker so that a closed terminal does not end it.

    The tracker ignores the signals of a terminal except SIGHUP. A new tracker in its place would
    not know the existing semaphores, and each released semaphore would then print a traceback.
    """
    if threading.current_thread() is threading.main_thread():
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            resource_tracker.ensure_running()
        finally:
            signal.signal(signal.SIGHUP, before)


def end_process_within(seconds: float, exit_code: Callable[[], int]) -> None:
    """End the process after so many seconds if it is still running.

    Without this a thread that is stuck would keep it alive for ever, because Python waits for all
    threads at its end.
    """

    def end() -> None:
        time.sleep(seconds)
        os.write(2, f"{sentence('ended, as something in it does not end by itself.')}\n".encode())
        end_process(exit_code())

    threading.Thread(target=end, name="end-of-process", daemon=True).start()


def end_process(exit_code: int) -> None:
    """Kill all descendants and end this process without waiting for any thread."""
    try:
        _kill_descendants()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(RuntimeError, OSError, ValueError):
                stream.flush()
    finally:
        os._exit(exit_code)


def _kill_descendants() -> None:
    """Kill descendants until there is none, because one may be starting another now."""
    import psutil  # psutil comes with the engine; without an engine there is no descendant

    deadline = time.monotonic() + _KILL_SECONDS
    while time.monotonic() < deadline:
        descendants = [
            process
            for process in psutil.Process().children(recursive=True)
            if not _ends_by_itself(process)
        ]
        if not descendants:
            return
        for process in descendants:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(descendants, timeout=0.2)


def _ends_by_itself(process: "psutil.Process") -> bool:
    """Return whether it is Python's resource tracker, which cleans up after this process ends."""
    import psutil

    try:
        return any("multiprocessing.resource_tracker" in part for part in process.cmdline())
    except psutil.Error:
        return False
