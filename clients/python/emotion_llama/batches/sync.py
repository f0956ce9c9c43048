"""Defines `Files` and `Batches`, parts of the client for programs without an event loop."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
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
from emotion_llama.many import Analysis, OwnOptions, in_threads, no_own_options
from emotion_llama.media import Upload
from emotion_llama.options import Options
from emotion_llama.schema import Task
from emotion_llama.stored import FileDeleted, FileObject, Purpose, UploadPurpose
from emotion_llama.wire import Exchange, Exchanges, T, reading


class Run(Protocol):
    """Executes an exchange and returns its result."""

    def __call__(self, exchange: Exchange[T], /) -> T: ...


class Files:
    """Uploads files to a server that keeps them, and manages them there."""

    def __init__(self, wire: Exchanges, run: Run) -> None:
        self._wire, self._run = wire, run

    def upload(
        self,
        file: Upload | str,
        purpose: UploadPurpose = "user_data",
        *,
        filename: str | None = None,
        keep_seconds: int | None = None,
    ) -> FileObject:
        """Upload a file; its `id` is a clip's name in requests.

        Args:
            file: the file's path, its bytes, or the file itself, open.
            purpose: `user_data` or `vision` for a clip, `batch` for the lines of a batch.
            filename: the name in lists of files; by default the file's own.
            keep_seconds: the seconds until the server deletes it, from an hour to 30 days; by
                default as many as the server keeps files.
        """
        return self._run(exchanges.upload(self._wire, file, purpose, filename, keep_seconds))

    def list(self, purpose: Purpose | None = None) -> Iterator[FileObject]:
        """Yield your files, the newest first; those of one purpose, if it is given."""
        after: str | None = None
        while True:
            page = self._run(exchanges.list_files(self._wire, purpose, after))
            yield from page.data
            if not page.has_more:
                return
            after = page.last_id

    def delete(self, file_id: str) -> FileDeleted:
        """Delete a file from the server."""
        return self._run(exchanges.delete_file(self._wire, file_id))

    def content(self, file_id: str) -> bytes:
        """Return the bytes of a file."""
        return self._run(exchanges.content(self._wire, file_id)).content


class Batches:
    """Has the requests about many clips answered as one job, which needs no client meanwhile."""

    def __init__(self, wire: Exchanges, run: Run) -> None:
        self._wire, self._run = wire, run

    def submit(
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
        """Upload clips, and submit one request about each as a batch.

        The server deletes the uploaded clips a day after the completion window.

        Args:
            video_paths: local files, which are uploaded; URLs and paths on the server, which are
                not; or ids of uploaded files. A clip that is named twice is asked about once.
            task: `emotion`, `reason` or `both`.
            explain: whether task `emotion` includes an explanation; by default it does not.
            own_options: returns the further options of one clip, its transcript for example.
            completion_window: the hours after which no further clip is analysed, 1h to 168h.
            metadata: up to 16 texts that the batch keeps.
            concurrency: the number of uploads at once.
            on_upload: receives each clip when it is uploaded or has failed. A clip that failed is
                left out; by default its error is raised.
            options: the options of all clips.

        Raises:
            ValueError: there are no clips or too many, or an argument has no meaning.
        """
        lines = Lines.of(video_paths, completion_window, task, explain, own_options, options)

        def one(clip: str) -> ClipUpload:
            crops, seconds = lines.crops(clip), lines.clip_seconds
            return self._run(exchanges.upload_clip(self._wire, clip, crops, seconds))

        with closing(in_threads(one, lines.clips, concurrency)) as uploads:
            for upload in uploads:
                on_upload(upload)
                lines.add(upload)
        return self._run(
            exchanges.create_batch(self._wire, lines.data(), completion_window, metadata)
        )

    def retrieve(self, batch: Batch | str) -> Batch:
        """Return a batch, named by its id or by itself, as it is now."""
        return self._run(exchanges.retrieve(self._wire, batch))

    def list(self) -> Iterator[Batch]:
        """Yield your batches, the newest first."""
        after: str | None = None
        while True:
            page = self._run(exchanges.list_batches(self._wire, after))
            yield from page.data
            if not page.has_more:
                return
            after = page.last_id

    def wait(
        self,
        batch: Batch | str,
        *,
        every: float = 2,
        on_update: Callable[[Batch], None] = lambda _: None,
    ) -> Batch:
        """Return a batch when it is over: completed, failed, expired or cancelled.

        Args:
            batch: the batch or its id.
            every: the seconds between two requests.
            on_update: receives the batch after each request.
        """
        return self._run(exchanges.wait_for(self._wire, batch, every, on_update))

    def results(self, batch: Batch | str) -> Iterator[Analysis]:
        """Yield the result of each clip of a batch that is over; an error is a result too.

        The `video_path` is the clip's name as submitted. The answers come first, in no order.

        Raises:
            ValueError: the batch goes on, or was not made by `submit` but for chats.
        """
        for file_id in self._run(exchanges.result_files(self._wire, batch)):
            response = self._run(exchanges.content(self._wire, file_id, stream=True))
            reader = ResultReader()
            try:
                with reading("results"):
                    for piece in response.iter_bytes():
                        yield from map(analysis_of, reader.read(piece))
            finally:
                response.close()

    def cancel(self, batch: Batch | str) -> Batch:
        """End a batch; what is answered until then is kept."""
        return self._run(exchanges.cancel(self._wire, batch))
