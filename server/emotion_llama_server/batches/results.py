"""Appends the results of batches, each exactly once, and makes files of them.

The database says how many bytes of a batch's two files count. A result is written behind them,
brought to the disk, and counted in the transaction that marks its line as answered. A server that
is killed in between leaves bytes that do not count: the line is asked again, and its next answer is
written over them.
"""

import asyncio
import hashlib
import os
import sqlite3
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from emotion_llama.batch import BatchResult, LineError, LineErrorCode
from emotion_llama_server.batches.store import BatchStore, Job
from emotion_llama_server.files.objects import full_disk
from emotion_llama_server.files.store import NewFile
from emotion_llama_vllm.media.read.threads import files

_NOT_ASKED: dict[str, tuple[LineErrorCode, str]] = {
    "expired": ("batch_expired", "The completion window ended before this line was asked."),
    "cancelled": ("batch_cancelled", "The batch was cancelled before this line was asked."),
    "failed": ("server_failed", "The server ended three times while it answered this line."),
}


@dataclass(frozen=True, eq=False)
class Answered:
    """Holds the result of one line."""

    job: Job
    number: int
    result: BatchResult

    @property
    def kind(self) -> str:
        """Return which of the two files it belongs to."""
        response = self.result.response
        return "output" if response is not None and response.status_code == 200 else "error"

    @property
    def text(self) -> bytes:
        return self.result.model_dump_json().encode() + b"\n"


@dataclass(frozen=True)
class _File:
    """Represents the complete results of one kind."""

    path: Path
    size: int
    digest: str


class Results:
    """Holds the results of unfinished batches, in two files each."""

    def __init__(self, store: BatchStore) -> None:
        self._store, self._folder = store, store.files.folder.results
        self._waiting: list[Answered] = []
        self._writing = asyncio.Lock()

    async def add(self, *answered: Answered) -> None:
        """Note results; return when they are on the disk, for whose space this waits."""
        self._waiting += answered
        async with self._writing:
            # While one caller wrote, the results of several others came: one write takes them all.
            if any(one in self._waiting for one in answered):
                taken = list(self._waiting)
                await self._store.database.run_with_space(partial(self._append_all, answered=taken))
                del self._waiting[: len(taken)]

    def _append_all(self, connection: sqlite3.Connection, answered: Sequence[Answered]) -> None:
        same: dict[tuple[int, str], list[Answered]] = defaultdict(list)
        for one in answered:
            same[one.job.number, one.kind].append(one)
        for group in same.values():
            self._append(connection, group)

    def _append(self, connection: sqlite3.Connection, answered: Sequence[Answered]) -> None:
        """Append results of one kind of one batch, inside a transaction."""
        job, kind = answered[0].job, answered[0].kind
        column = f"{kind}_bytes"
        row = connection.execute("SELECT * FROM batches WHERE number = ?", (job.number,)).fetchone()
        size = _write(self._path(job, kind), row[column], b"".join(one.text for one in answered))
        responses = sum(one.result.response is not None for one in answered)
        counter = "completed" if kind == "output" else "failed"
        connection.execute(
            f"UPDATE batches SET {column} = ?, {counter} = {counter} + ? "  # noqa: S608
            "WHERE number = ?",
            (row[column] + size, responses, job.number),
        )
        connection.executemany(
            "UPDATE lines SET is_answered = 1 WHERE batch = ? AND number = ?",
            [(job.number, one.number) for one in answered],
        )

    async def publish(self, job: Job, status: str) -> None:
        """Make files of a batch's results, and note that the batch is over.

        Raises:
            StorageFull: there is no disk space for it.
        """
        sizes = await self._store.database.run(
            lambda c: c.execute(
                "SELECT output_bytes, error_bytes FROM batches WHERE number = ?", (job.number,)
            ).fetchone()
        )
        made: dict[str, _File] = {}
        for kind in ("output", "error"):
            if size := sizes[f"{kind}_bytes"]:
                made[kind] = await files.run(lambda k=kind, s=size: self._complete(job, k, s))
        await self._store.database.run(lambda c: self._note(c, job, status, made))
        for kind in ("output", "error"):
            self._path(job, kind).unlink(missing_ok=True)

    def _complete(self, job: Job, kind: str, size: int) -> _File:
        """Cut off what does not count, and compute the digest of the rest."""
        path = self._path(job, kind)
        with full_disk():
            os.truncate(path, size)
        with path.open("rb") as file:
            return _File(path, size, hashlib.file_digest(file, "sha256").hexdigest())

    def _note(
        self, connection: sqlite3.Connection, job: Job, status: str, made: dict[str, _File]
    ) -> None:
        for kind, file in made.items():
            self._store.files.objects.add(file.path, file.digest)
            new = NewFile(job.owner, f"{job.id}_{kind}.jsonl", "batch_output", job.output_seconds)
            kept = self._store.files.insert(connection, new, file.size, file.digest)
            connection.execute(
                f"UPDATE batches SET {kind}_file_id = ? WHERE number = ?",  # noqa: S608
                (kept.id, job.number),
            )
        self._store.end(connection, job, status)

    async def sweep(self, jobs: Sequence[Job]) -> None:
        """Delete the files of batches that are over, which a server that was killed has left."""
        names = {self._path(job, kind).name for job in jobs for kind in ("output", "error")}
        for path in list(self._folder.iterdir()):
            if path.name not in names:
                path.unlink()

    def _path(self, job: Job, kind: str) -> Path:
        return self._folder / f"{job.id}.{kind}"


def not_asked(custom_id: str, status: str) -> BatchResult:
    """Return the result of a line that has no response.

    Args:
        custom_id: the line's name.
        status: what became of the batch, `expired` or `cancelled`, or of the server, `failed`.
    """
    code, message = _NOT_ASKED[status]
    name = f"batch_req_{uuid.uuid4().hex}"
    error = LineError(code=code, message=message)
    return BatchResult(id=name, custom_id=custom_id, response=None, error=error)


def _write(path: Path, start: int, text: bytes) -> int:
    """Write a text at a place in a file, and bring it to the disk; return its size."""
    with full_disk():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            written = 0
            while written < len(text):
                written += os.pwrite(descriptor, text[written:], start + written)
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
    return len(text)
