"""Leads every batch to its end: checks its lines, has them answered, and publishes the results.

What is noted in the database before and after each line lets the next server go on where this one
is killed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from emotion_llama.batch import Batch
from emotion_llama_server.batches.form import BatchRequest
from emotion_llama_server.batches.lines import LineAnswerer
from emotion_llama_server.batches.pace import End, Pace
from emotion_llama_server.batches.results import Answered, Results, not_asked
from emotion_llama_server.batches.store import BatchStore, Job, OpenLine
from emotion_llama_server.batches.validation import Validation
from emotion_llama_server.data.database import FULL_SECONDS
from emotion_llama_server.gate import Doorkeeper
from emotion_llama_server.logger import logger
from emotion_llama_vllm import metrics
from emotion_llama_vllm.media.errors import StorageFull

_AHEAD = 100
"""The number of lines of a batch that are read from the database at once."""
_CHECKED = 1000
"""The number of lines that are checked at once; other work runs between."""
_AGAIN_SECONDS = 60
"""Seconds after which a batch goes on whose work has failed."""


@dataclass
class Runner:
    """Runs the batches of one server.

    Args:
        store: the batches.
        results: their results.
        answerer: asks the server's own app.
        doorkeeper: tells whether the server is ending.
        pace: tells when lines may be asked.
        models: returns the names of the served models.
        most_bytes: the maximum size of a line.
        start: starts a task of the server.
    """

    store: BatchStore
    results: Results
    answerer: LineAnswerer
    doorkeeper: Doorkeeper
    models: Callable[[], Awaitable[Sequence[str]]]
    most_bytes: int
    start: Callable[[Coroutine[Any, Any, None]], asyncio.Task[None]]
    pace: Pace
    _ends: dict[str, End] = field(default_factory=dict)
    _is_ready: asyncio.Event = field(default_factory=asyncio.Event)
    _creating: set[asyncio.Task[Batch]] = field(default_factory=set)

    async def go_on(self) -> None:
        """Go on with the batches that an earlier server has left.

        The lines during which it ended are asked first, one at a time: if one of them ends this
        server too, the others are not blamed for it.
        """
        jobs = await self.store.unfinished()
        await self.results.sweep(jobs)
        for job in jobs:
            self._begin(job)
        for job in jobs:
            for line in await self.store.tried_lines(job):
                if await self.pace.take_place(job.owner, self._ends[job.id]):
                    await self._answer(job, line)
        self._is_ready.set()

    async def create(self, owner: str, request: BatchRequest) -> Batch:
        """Note a batch and begin with it, even if its client leaves meanwhile.

        Raises:
            FieldError: the owner has no such file of lines.
            TooManyBatches: too many batches of the owner are not finished.
        """
        creating = asyncio.ensure_future(self._create(owner, request))
        self._creating.add(creating)
        creating.add_done_callback(self._creating.discard)
        return await asyncio.shield(creating)

    async def _create(self, owner: str, request: BatchRequest) -> Batch:
        batch, job = await self.store.create(owner, request)
        self._begin(job)
        return batch

    async def cancel(self, owner: str, batch_id: str) -> Batch:
        """End a batch; the lines that are being answered still are.

        Raises:
            BatchMissing: the owner has none of this id.
            FieldError: the batch is over.
        """
        batch = await self.store.cancel(owner, batch_id)
        if (end := self._ends.get(batch_id)) is not None and batch.status == "cancelling":
            _end(end)
        return batch

    def _begin(self, job: Job) -> None:
        loop = asyncio.get_running_loop()
        self._ends[job.id] = end = loop.create_future()
        if job.status == "cancelling":
            _end(end)
        timer = loop.call_later(max(0, job.expires_at - self.store.clock.now()), _end, end)
        task = self.start(self._lead(job))
        task.add_done_callback(lambda _: timer.cancel())
        metrics.unfinished_batches.set(len(self._ends))

    async def _lead(self, job: Job) -> None:
        """Lead a batch to its end, in several attempts if one fails."""
        await self._is_ready.wait()
        while not await self._attempt(job.number):
            pass
        self._ends.pop(job.id).cancel()
        metrics.unfinished_batches.set(len(self._ends))

    async def _attempt(self, number: int) -> bool:
        """Return whether nothing is left to do for this server."""
        try:
            await self._advance(await self.store.job(number))
        except StorageFull:
            logger.warning("A batch waits, because the disk is full.")
            await asyncio.sleep(FULL_SECONDS)
        except Exception:
            logger.exception("A batch has failed for now.")
            await asyncio.sleep(_AGAIN_SECONDS)
        else:
            return True
        return False

    async def _advance(self, job: Job) -> None:
        if job.status == "validating":
            await self._validate(job)
            job = await self.store.job(job.number)
        if job.status == "in_progress":
            await self._answer_all(job)
        await self._finish(await self.store.job(job.number))

    async def _validate(self, job: Job) -> None:
        await self.store.forget_lines(job)  # of a server that was killed meanwhile
        checks = Validation(job.endpoint, await self.models(), self.most_bytes)
        with self.store.files.objects.open(job.input_digest) as file:
            lines = checks.lines(file)
            while chunk := await asyncio.to_thread(lambda: list(islice(lines, _CHECKED))):
                await self.store.add_lines(job, chunk)
        await self.store.end_validation(job, checks.count, checks.errors)

    async def _answer_all(self, job: Job) -> None:
        """Ask all lines without an answer, until the batch shall end."""
        end, beyond = self._ends[job.id], 0
        async with asyncio.TaskGroup() as group:
            while lines := await self.store.open_lines(job, _AHEAD, beyond=beyond):
                for line in lines:
                    if not await self.pace.take_place(job.owner, end):
                        return
                    group.create_task(self._answer(job, line))
                beyond = lines[-1].number

    async def _answer(self, job: Job, line: OpenLine) -> None:
        """Answer a line, which has a place, and note the result."""
        end = self._ends[job.id]
        try:
            with metrics.batch_lines_in_flight.track_inprogress():
                result = await self.answerer.answer(job, line, end)
            if result is None:
                if self.doorkeeper.closed is not None:
                    _end(end)
                return
            answered = Answered(job, line.number, result)
            await self.results.add(answered)
            metrics.batch_lines.labels(answered.kind).inc()
        finally:
            self.pace.leave_place(job.owner)

    async def _finish(self, job: Job) -> None:
        """Publish the results of a batch that shall end or has no open line."""
        status = "completed"
        if job.status == "cancelling":
            status = "cancelled"
        elif await self.store.open_lines(job, 1):
            if self.doorkeeper.closed is not None:
                return  # the next server goes on
            status = "expired"
        if job.status != "failed":
            await self._give_up(job, status)
            if status == "completed":
                await self.store.begin_finalizing(job)
            await self.results.publish(job, status)
        await self.store.files.drop_unused([job.input_digest])

    async def _give_up(self, job: Job, status: str) -> None:
        """Note why the lines without an answer have none."""
        while lines := await self.store.open_lines(job, _CHECKED):
            await self.results.add(
                *(Answered(job, line.number, not_asked(line.custom_id, status)) for line in lines)
            )


def _end(end: End) -> None:
    if not end.done():
        end.set_result(None)
