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
from emotion_llama_vllm.media import worker
from emotion_llama_vllm.media.errors import DecodeTimeout, MediaError
from emotion_llama_vllm.media.file import ClipFile
from emotion_llama_vllm.settings import MediaSettings

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

    Args:
        settings: how many, and their limits.
        size: side in pixels of the network's frames.
    """

    def __init__(self, settings: MediaSettings, size: int) -> None:
        self._settings, self.size = settings, size
        self._pool = self._new_pool()
        # A job is handed over only when a worker is free: cancelled before, it costs none.
        self._free = asyncio.Semaphore(settings.decode_workers)

    async def run(self, job: Callable[[bytes], _T], clip: ClipFile) -> _T:
        with metrics.decoding.track_inprogress(), metrics.decode_seconds.time():
            return await self._when_free(job, clip)

    async def _when_free(self, job: Callable[[bytes], _T], clip: ClipFile) -> _T:
        async with self._free:
            for _ in range(2):
                pool = self._pool
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
        self._pool.stop()
        self._pool.join()

    async def _run(self, pool: ProcessPool, job: Callable[[bytes], _T], clip: ClipFile) -> _T:
        if not pool.active:
            raise BrokenProcessPool
        seconds = self._settings.decode_seconds
        future = pool.schedule(worker.work, args=(job, clip.path, seconds), timeout=seconds)
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
        metrics.worker_restarts.labels("crash").inc()
        logger.warning("A clip ended its decode worker (exit %s).", error.exitcode)
        return MediaError("The clip cannot be decoded: its decoder failed; re-encode it.")

    def _too_slow(self) -> DecodeTimeout:
        most = self._settings.decode_seconds
        return DecodeTimeout(f"Decoding the clip took over {most:g} s; re-encode it, or cut it.")

    def _replace(self, broken: ProcessPool) -> None:
        """Put a new pool in the place of a broken one, unless another request did."""
        if self._pool is broken:
            metrics.worker_restarts.labels("pool").inc()
            self._pool = self._new_pool()
            broken.stop()

    def _new_pool(self) -> ProcessPool:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([worker.__name__])
        return ProcessPool(
            max_workers=self._settings.decode_workers,
            max_tasks=_CLIPS_PER_WORKER,
            initializer=worker.confine,
            initargs=(int(self._settings.decode_memory_mb * 2**20),),
            context=context,
        )
