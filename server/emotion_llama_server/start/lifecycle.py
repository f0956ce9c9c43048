"""Ends the server by a signal or with its engine, and sets the exit code."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import uvicorn

from emotion_llama_server.gate import Doorkeeper
from emotion_llama_server.logger import logger
from emotion_llama_server.start.ending import end_process_within, end_signals
from emotion_llama_server.start.loop_stalls import measure_stalls
from emotion_llama_server.start.memory_kills import MemoryKills

if TYPE_CHECKING:
    from vllm.engine.protocol import EngineClient

EXIT_UNFINISHED = 1
EXIT_FAILED = 1
EXIT_ENGINE_DEAD = 3
_LOOK_SECONDS = 0.1
_HANG_UP_SECONDS = 3
_END_SECONDS = 15
"""Seconds for the process to end after the last request, including its engine."""
_END_AT_ONCE_SECONDS = 5


@dataclass
class Lifecycle:
    """Watches one server from the moment it is ready.

    vLLM's own handler ends the engine on SIGTERM, and with it every clip that is still being
    fetched or decoded. This handler replaces it, and ends the engine after the last request is
    answered.

    Args:
        doorkeeper: the requests inside.
        engine: the engine, which ends with the server.
        drain_seconds: the seconds for the requests inside after new ones are refused.
        drain_delay: the seconds between the signal and the first refusal, in which a router hears
            from `/readyz` that it must send no more.
    """

    doorkeeper: Doorkeeper
    engine: "EngineClient"
    drain_seconds: float
    drain_delay: float = 0
    exit_code: int = EXIT_ENGINE_DEAD
    """The exit code, if neither a signal nor a failed task changes it: then the engine has died."""
    _servers: list[uvicorn.Server] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    is_draining: bool = False
    """True from the first signal on."""
    _is_ending: bool = False
    """True while the engine is about to be shut down, which looks as if it had died."""
    _kills: MemoryKills = field(default_factory=MemoryKills)

    def watch(self, server: uvicorn.Server) -> None:
        """Watch vLLM's server; call this after vLLM has set its own signal handlers."""
        self.join(server)
        loop = asyncio.get_running_loop()
        for number in end_signals():
            loop.add_signal_handler(number, self._on_signal)
        self.start(self._watch_engine())
        self.start(measure_stalls())

    def join(self, server: uvicorn.Server) -> None:
        """End this server together with the others; at once if the end has begun."""
        self._servers.append(server)
        server.should_exit = self._is_ending

    def start(self, coroutine: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run a task of the server; if it fails, log why and end the server."""
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._on_done)
        return task

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        logger.error("A task of the server has failed; the server is ending.", exc_info=error)
        self.exit_code = EXIT_FAILED
        self.doorkeeper.turn_out("The server has failed and is ending.")
        self._stop()

    def _on_signal(self) -> None:
        if self.is_draining:
            self.start(self._end_at_once())
        else:
            self.is_draining = True
            self.exit_code = 0
            self.start(self._drain())

    async def _drain(self) -> None:
        """Take requests for the delay, refuse new ones, wait for those inside, then end."""
        if self.drain_delay:
            logger.info("Not ready; refusing requests in %g s.", self.drain_delay)
            await asyncio.sleep(self.drain_delay)
        logger.info("Draining: %s requests are inside.", self.doorkeeper.inside)
        self.doorkeeper.close("The server is shutting down; use another one, or try again later.")
        if not await self._emptied(self.drain_seconds):
            logger.warning("Ending %s requests after the deadline.", self.doorkeeper.inside)
            self.doorkeeper.turn_out("The server is shutting down.")
            await self._emptied(1)
        self._stop()

    async def _end_at_once(self) -> None:
        logger.warning("Ending at once.")
        if not self._is_ending:  # otherwise every request already has its answer
            self.exit_code, self._is_ending = EXIT_UNFINISHED, True
        end_process_within(_END_AT_ONCE_SECONDS, lambda: self.exit_code)
        self.doorkeeper.turn_out("The server is shutting down.")
        await asyncio.to_thread(self.engine.shutdown, timeout=0)
        for server in self._servers:
            server.force_exit = True
        self._stop()

    async def _watch_engine(self) -> None:
        """Answer all waiting requests and end the server when the engine dies."""
        while not self.engine.errored:  # noqa: ASYNC110  (vLLM has no event for it)
            await asyncio.sleep(_LOOK_SECONDS)
        if self._is_ending:
            return
        logger.error("The engine has died.")
        if (why := self._kills.sentence()) is not None:
            logger.error(why)
        self.exit_code = EXIT_ENGINE_DEAD
        self.doorkeeper.turn_out("The model's engine has died; the server is ending.")
        await self._emptied(1)
        self._stop()

    async def _emptied(self, seconds: float) -> bool:
        """Wait until no request is inside."""
        deadline = asyncio.get_running_loop().time() + seconds
        while self.doorkeeper.inside:
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(0.05)
        return True

    def _stop(self) -> None:
        """Close the servers, and end the process even if a thread is stuck."""
        self._is_ending = True
        end_process_within(_END_SECONDS, lambda: self.exit_code)
        for server in self._servers:
            server.should_exit = True
        asyncio.get_running_loop().call_later(_HANG_UP_SECONDS, self._cut)

    def _cut(self) -> None:
        """Close connections that the client keeps open; the server waits for idle TLS ones."""
        for server in self._servers:
            for connection in list(server.server_state.connections):
                if connection.transport is not None:
                    connection.transport.abort()
