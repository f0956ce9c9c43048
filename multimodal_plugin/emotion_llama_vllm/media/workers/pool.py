"""Decodes untrusted clips in worker processes."""

import asyncio
import signal
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeoutError
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from pebble import ProcessExpired, ProcessPool

from emotion_llama_vllm import metrics
from emotion_llama_vllm.logger import logger
from emotion_llama_vllm.media.clip_file import ClipFile
from emotion_llama_vllm.media.decode import timeline
from emotion_llama_vllm.media.errors import DecodeTimeout, MediaError, ServerBusy
from emotion_llama_vllm.media.workers import child
from emotion_llama_vllm.media.workers.forkserver import fork_server
from emotion_llama_vllm.settings import MediaSettings
from emotion_llama_vllm.shares import Shares, asking, with_reserve
from emotion_llama_vllm.telemetry import stage

_T = TypeVar("_T")
_CLIPS_PER_WORKER = 500
"""The number of clips after which a worker is replaced, to free memory that decoders leak."""
_STUCK_SECONDS = 5
"""The seconds after its deadline at which a job counts as stuck in the pool."""


class Workers:
    """Decodes in processes that a hostile file may end, block or fill without harm to others.

    They are forked from a small process that has loaded the decoders and nothing of the server: no
    key, no environment, no connection.

    One owner's clips use at most `decode_workers` of them. Half as many more are a reserve for the
    other owners, and start on first use.

    Args:
        settings: the number of workers, and their limits.
        size: side in pixels of the network's frames.
    """

    def __init__(self, settings: MediaSettings, size: int) -> None:
        self._settings, self.size = settings, size
        self._own, together = settings.decode_workers, with_reserve(settings.decode_workers)
        self._others = together - self._own
        self._pool, self._reserve = self._new_pool(self._own), self._new_pool(self._others)
        self._busy = 0
        """The number of busy workers of the first pool."""
        # A job starts only when a worker is free, so a cancelled waiting job costs no worker.
        self._places: Shares[str] = Shares(together, self._own)

    async def run(self, job: Callable[[bytes], _T], clip: ClipFile) -> _T:
        with metrics.decoding.track_inprogress(), stage("decode"):
            return await self._when_free(job, clip)

    async def _when_free(self, job: Callable[[bytes], _T], clip: ClipFile) -> _T:
        owner = asking.get().owner
        with metrics.decodes_waiting.track_inprogress():
            await self._places.acquire(owner)
        try:
            return await self._with_a_free_one(job, clip)
        finally:
            self._places.release(owner)

    async def _with_a_free_one(self, job: Callable[[bytes], _T], clip: ClipFile) -> _T:
        if self._busy == self._own:
            return await self._with(lambda: self._reserve, job, clip)
        self._busy += 1
        try:
            return await self._with(lambda: self._pool, job, clip)
        finally:
            self._busy -= 1

    async def _with(
        self, current: Callable[[], ProcessPool], job: Callable[[bytes], _T], clip: ClipFile
    ) -> _T:
        """Run a job in the current pool, and once more in a new pool if this one is broken."""
        for _ in range(2):
            pool = current()
            try:
                return await self._run(pool, job, clip)
            except BrokenProcessPool:
                # A worker that is killed from outside between two clips breaks its pool.
                await asyncio.to_thread(self._replace, pool)
        raise RuntimeError("The decode workers end before they work.")

    async def warm_up(self, job: Callable[[bytes], object] = len) -> None:
        """Start every worker, so that the first clips do not wait for it, nor for this job."""
        with ClipFile.in_memory(b"x") as clip:
            await asyncio.gather(
                *(self.run(job, clip) for _ in range(self._settings.decode_workers))
            )

    def stop(self) -> None:
        """End the workers, busy or not."""
        for pool in (self._pool, self._reserve):
            pool.stop()
            pool.join()

    async def _run(self, pool: ProcessPool, job: Callable[[bytes], _T], clip: ClipFile) -> _T:
        if not pool.active:
            raise BrokenProcessPool
        seconds = self._settings.decode_seconds
        future = pool.schedule(child.work, args=(job, clip.path, seconds), timeout=seconds)
        try:
            async with asyncio.timeout(seconds + _STUCK_SECONDS):
                return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            metrics.worker_restarts.labels("cancelled").inc()
            raise
        except FutureTimeoutError as error:
            # If our own timeout raised it, a worker died while it held the pool's lock.
            is_stuck = not future.done() or future.cancelled()
            metrics.worker_restarts.labels("stuck" if is_stuck else "deadline").inc()
            if is_stuck:
                await asyncio.to_thread(self._replace, pool)
            raise self._too_slow() from error
        except ProcessExpired as error:
            raise self._expired(error) from error
        except MemoryError as error:
            raise MediaError("Decoding the clip takes too much memory; re-encode it.") from error

    def _expired(self, error: ProcessExpired) -> MediaError:
        if error.exitcode == -signal.SIGXCPU:
            metrics.worker_restarts.labels("cpu").inc()
            return self._too_slow()
        if error.exitcode == -signal.SIGKILL:
            # No clip does that to its worker; the kernel does if the memory is full.
            metrics.worker_restarts.labels("killed").inc()
            logger.warning("A decode worker was killed, as the kernel does for want of memory.")
            return ServerBusy("The server has no memory left for this clip; ask again later.")
        metrics.worker_restarts.labels("crash").inc()
        logger.warning("A clip ended its decode worker (exit %s).", error.exitcode)
        return MediaError("The clip cannot be decoded: its decoder failed; re-encode it.")

    def _too_slow(self) -> DecodeTimeout:
        most = self._settings.decode_seconds
        return DecodeTimeout(f"Decoding the clip took over {most:g} s; re-encode it, or cut it.")

    def _replace(self, broken: ProcessPool) -> None:
        """Replace a broken pool by a new one, unless another request has done so."""
        if broken is self._pool:
            self._pool = self._new_pool(self._own)
        elif broken is self._reserve:
            self._reserve = self._new_pool(self._others)
        else:
            return
        metrics.worker_restarts.labels("pool").inc()
        broken.stop()

    def _new_pool(self, workers: int) -> ProcessPool:
        """Return a pool whose processes start with its first job."""
        return ProcessPool(
            max_workers=workers,
            max_tasks=_CLIPS_PER_WORKER,
            initializer=child.confine,
            initargs=(int(self._settings.decode_memory_mb * 2**20),),
            context=fork_server(child.__name__, timeline.__name__),
        )
