"""Defines `AsyncFiles` and `AsyncBatches`, parts of the client for programs with an event loop."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import aclosing
from os import PathLike
from typing import Protocol

from typing_extensions import Unpack

from emotion_llama.batch import Batch
from emotion_llama.batches import exchanges
from emotion_llama.batches.lines import (
    ClipUpload,
    Lines,
    ResultReader,
    analysis_of,
    stop_at_failure,
)
from emotion_llama.many import Analysis, OwnOptions, in_tasks, no_own_options
from emotion_llama.media import Upload
from emotion_llama.options import Options
from emotion_llama.schema import Task
from emotion_llama.stored import FileDeleted, FileObject, Purpose, UploadPurpose
from emotion_llama.wire import Exchange, Exchanges, T, reading


class AsyncRun(Protocol):
    """Executes an exchange and returns its result."""

    def __call__(self, exchange: Exchange[T], /) -> Awaitable[T]: ...


class AsyncFiles:
    """Does the same as Files."""

    def __init__(self, wire: Exchanges, run: AsyncRun) -> None:
        self._wire, self._run = wire, run

    async def upload(
        self,
        file: Upload | str,
        purpose: UploadPurpose = "user_data",
        *,
        filename: str | None = None,
        keep_seconds: int | None = None,
    ) -> FileObject:
        """Do the same as Files.upload."""
        return await self._run(exchanges.upload(self._wire, file, purpose, filename, keep_seconds))

    async def list(self, purpose: Purpose | None = None) -> AsyncIterator[FileObject]:
        """Do the same as Files.list."""
        after: str | None = None
        while True:
            page = await self._run(exchanges.list_files(self._wire, purpose, after))
            for file in page.data:
                yield file
            if not page.has_more:
                return
            after = page.last_id

    async def delete(self, file_id: str) -> FileDeleted:
        """Do the same as Files.delete."""
        return await self._run(exchanges.delete_file(self._wire, file_id))

    async def content(self, file_id: str) -> bytes:
        """Do the same as Files.content."""
        return (await self._run(exchanges.content(self._wire, file_id))).content


class AsyncBatches:
    """Does the same as Batches."""

    def __init__(self, wire: Exchanges, run: AsyncRun) -> None:
        self._wire, self._run = wire, run

    async def submit(
        self,
        video_paths: Iterable[str | PathLike[str]],
        *,
        task: Task = "both",
        explain: bool = False,
        own_options: OwnOptions = no_own_options,
        completion_window: str = "24h",
        metadata: Mapping[str, str] | None = None,
        concurrency: int = 8,
        on_upload: Callable[[ClipUpload], None] = stop_at_failure,
        **options: Unpack[Options],
    ) -> Batch:
        """Do the same as Batches.submit."""
        lines = Lines.of(video_paths, completion_window, task, explain, own_options, options)

        async def one(clip: str) -> ClipUpload:
            crops, seconds = lines.crops(clip), lines.clip_seconds
            return await self._run(exchanges.upload_clip(self._wire, clip, crops, seconds))

        async with aclosing(in_tasks(one, lines.clips, concurrency)) as uploads:
            async for upload in uploads:
                on_upload(upload)
                lines.add(upload)
        return await self._run(
            exchanges.create_batch(self._wire, lines.data(), completion_window, metadata)
        )

    async def retrieve(self, batch: Batch | str) -> Batch:
        """Do the same as Batches.retrieve."""
        return await self._run(exchanges.retrieve(self._wire, batch))

    async def list(self) -> AsyncIterator[Batch]:
        """Do the same as Batches.list."""
        after: str | None = None
        while True:
            page = await self._run(exchanges.list_batches(self._wire, after))
            for batch in page.data:
                yield batch
            if not page.has_more:
                return
            after = page.last_id

    async def wait(
        self,
        batch: Batch | str,
        *,
        every: float = 2,
        on_update: Callable[[Batch], None] = lambda _: None,
    ) -> Batch:
        """Do the same as Batches.wait."""
        return await self._run(exchanges.wait_for(self._wire, batch, every, on_update))

    async def results(self, batch: Batch | str) -> AsyncIterator[Analysis]:
        """Do the same as Batches.results."""
        for file_id in await self._run(exchanges.result_files(self._wire, batch)):
            response = await self._run(exchanges.content(self._wire, file_id, stream=True))
            reader = ResultReader()
            try:
                with reading("results"):
                    async for piece in response.aiter_bytes():
                        for result in reader.read(piece):
                            yield analysis_of(result)
            finally:
                await response.aclose()

    async def cancel(self, batch: Batch | str) -> Batch:
        """Do the same as Batches.cancel."""
        return await self._run(exchanges.cancel(self._wire, batch))
