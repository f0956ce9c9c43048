"""Decoding in worker processes, for clips that come from strangers."""

import asyncio
import logging
import multiprocessing
import signal
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeoutError
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from pebble import ProcessExpired, ProcessPool

from emotion_llama_vllm import metrics
from emotion_llama_vllm.media.clip_file import ClipFile
from emotion_llama_vllm.media.errors import DecodeTimeout, MediaError, ServerBusy
from emotion_llama_vllm.media.workers import child
from emotion_llama_vllm.settings import MediaSettings
from emotion_llama_vllm.shares import Shares, asking, with_reserve

logger = logging.getLogger("vllm.emotion_llama")

_T = TypeVar("_T")
_CLIPS_PER_WORKER = 500
"""After which a worker is replaced: what a decoder leaks is gone with it."""
_STUCK_SECONDS = 5
"""Past its deadline, after which the pool does not keep to it any more."""


class Workers:
    """Decodes in processes that a hostile file may end, block or fill without harm to others.

    They are forked from a small process that has loaded the decoders and nothing of the server:
    no key, no environment, no connection.

    One owner's clips take `decode_workers` of them at most. Half as many more are a reserve for
    the others, and start when they are first needed.

    Args:
        settings: how many, and their limits.
        size: side in pixels of the network's frames.
    """

    def __init__(self, settings: MediaSettings, size: int) -> None:
        self._settings, self.size = settings, size
        self._own, together = settings.decode_workers, with_reserve(settings.decode_workers)
        self._others = together - self._own
        self._pool, self._reserve = self._new_pool(self._own), self._new_pool(self._others)
        self._busy = 0
        """Workers of the first pool that have a job."""
        # A job is handed over only when a worker is free: cancelled before, it costs none.
        self._places: Shares[str] = Shares(together, self._own)

    async def run(self, job: Callable[[bytes], _T], clip: ClipFile) -> _T:
        with metrics.decoding.track_inprogress(), metrics.decode_seconds.time():
            return await self._when_free(job, clip)

    async def _when_free(self, job: Callable[[bytes], _T], clip: ClipFile) -> _T:
        async with self._places.take(asking.get().owner):
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
        """Run a job in the current pool of two, and once more in the one that replaces it."""
        for _ in range(2):
            pool = current()
            try:
                return await self._run(pool, job, clip)
            except BrokenProcessPool:
                # As after a worker that was killed from outside between two clips.
                await asyncio.to_thread(self._replace, pool)
        raise RuntimeError("The decode workers end before they work.")

    async def warm_up(self) -> None:
        """Have every worker started, so that the first clips do not wait for it."""
        with ClipFile.in_memory(b"x") as clip:
            await asyncio.gather(
                *(self.run(len, clip) for _ in range(self._settings.decode_workers))
            )

    def stop(self) -> None:
        """End the workers, at work or not."""
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
            # The pool's own, or ours: then a worker died with the pool's lock in its hands.
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
            # No clip does that to its worker: the kernel does, where the memory is full.
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
        """Put a new pool in the place of a broken one, unless another request did."""
        if broken is self._pool:
            self._pool = self._new_pool(self._own)
        elif broken is self._reserve:
            self._reserve = self._new_pool(self._others)
        else:
            return
        metrics.worker_restarts.labels("pool").inc()
        broken.stop()

    def _new_pool(self, workers: int) -> ProcessPool:
        """Make a pool, whose processes start with its first job."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([child.__name__])
        return ProcessPool(
            max_workers=workers,
            max_tasks=_CLIPS_PER_WORKER,
            initializer=child.confine,
            initargs=(int(self._settings.decode_memory_mb * 2**20),),
            context=context,
        )
