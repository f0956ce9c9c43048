"""The end of the process where nobody can wait for an orderly one: no child outlives it."""

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
    """Return the signals that end the server; `nohup` has SIGHUP ignored, and it stays so."""
    signals = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signals.append(signal.SIGHUP)
    return signals


@contextlib.contextmanager
def at_once_on_signal() -> Iterator[None]:
    """End the process with 0 on any of these signals: nothing was accepted yet.

    Only the main thread may set handlers; elsewhere signals are as they were.
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
    """Start Python's tracker of semaphores so that a closed terminal does not end it.

    It ignores the signals of a terminal but SIGHUP, and one that is started in its place does not
    know what is there: each semaphore that is given back would then show a traceback.
    """
    if threading.current_thread() is threading.main_thread():
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            resource_tracker.ensure_running()
        finally:
            signal.signal(signal.SIGHUP, before)


def end_process_within(seconds: float, exit_code: Callable[[], int]) -> None:
    """End the process after so many seconds if it has not ended by then.

    A thread that is stuck would hold it up for ever, as Python waits for all of them at its end.
    """

    def end() -> None:
        time.sleep(seconds)
        os.write(2, f"{sentence('ended, as something in it does not end by itself.')}\n".encode())
        end_process(exit_code())

    threading.Thread(target=end, name="end-of-process", daemon=True).start()


def end_process(exit_code: int) -> None:
    """Kill all descendants and end this process, without waiting for any thread."""
    try:
        _kill_descendants()
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(RuntimeError, OSError, ValueError):
                stream.flush()
    finally:
        os._exit(exit_code)


def _kill_descendants() -> None:
    """Kill until there is none: one may be starting another at this moment."""
    import psutil  # comes with the engine, before which there is no descendant

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
    """Return whether it is Python's resource tracker, which removes what we leave when we end."""
    import psutil

    try:
        return any("multiprocessing.resource_tracker" in part for part in process.cmdline())
    except psutil.Error:
        return False
