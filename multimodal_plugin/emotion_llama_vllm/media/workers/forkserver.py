"""Starts the workers' processes: forked from a small one that has loaded the decoders.

Python's own way would load the program's file in each process too. Where that file imports vLLM,
the process would start for seconds, and hold what decoding does not need.
"""

import sys
from multiprocessing.context import ForkServerContext, ForkServerProcess
from threading import Lock
from types import ModuleType

_starting = Lock()
"""Two pools may start a process at the same time."""


class _Process(ForkServerProcess):
    """Represents a process that knows nothing of the program's file."""

    def start(self) -> None:
        """Start the process while an empty module stands in for the program's."""
        with _starting:
            program = sys.modules["__main__"]
            sys.modules["__main__"] = ModuleType("__main__")
            try:
                super().start()
            finally:
                sys.modules["__main__"] = program


class ForkServer(ForkServerContext):
    """Starts processes that are forked from the small one."""

    Process = _Process
    """The name is multiprocessing's."""


def fork_server(*modules: str) -> ForkServer:
    """Return the context for a pool's processes, which have loaded these modules."""
    context = ForkServer()
    context.set_forkserver_preload(list(modules))
    return context
