"""Keeps batches and their lines in the database."""

import json
import sqlite3
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from emotion_llama.batch import Batch, BatchError, BatchErrors, BatchList, RequestCounts
from emotion_llama_server.batches.errors import BatchMissing, TooManyBatches
from emotion_llama_server.batches.form import BatchRequest
from emotion_llama_server.batches.validation import Line
from emotion_llama_server.data.clock import Clock
from emotion_llama_server.files.errors import FileMissing
from emotion_llama_server.files.store import FileStore
from emotion_llama_vllm.errors import FieldError

_MOST_UNFINISHED = 100
"""The maximum number of unfinished batches of one owner."""
_STOPPABLE = ("validating", "in_progress")
_OVER = ("completed", "failed", "expired")
_PAGE = (
    "SELECT * FROM batches WHERE owner = :owner AND (:place IS NULL OR number < :place) "
    "ORDER BY number DESC LIMIT :limit"
)


@dataclass(frozen=True)
class Job:
    """Holds what the runner needs of a batch."""

    number: int
    id: str
    owner: str
    endpoint: str
    input_digest: str
    output_seconds: int | None
    status: str
    expires_at: int

    @classmethod
    def of(cls, row: sqlite3.Row) -> "Job":
        """Read a batch's row."""
        return cls(*(row[name] for name in cls.__dataclass_fields__))


@dataclass(frozen=True)
class OpenLine(Line):
    """Represents a line that has no answer yet."""

    tries: int
    """How often it was asked before; the server ended, or failed, each time."""


class BatchStore:
    """Keeps batches; an owner's name is that of its key, and empty on a server without keys."""

    def __init__(self, files: FileStore, clock: Clock) -> None:
        self.files, self.clock = files, clock
        self.database = files.folder.database

    async def create(self, owner: str, request: BatchRequest) -> tuple[Batch, Job]:
        """Note a batch, whose lines are not checked yet.

        Raises:
            FieldError: the owner has no such file of lines.
            TooManyBatches: too many batches of the owner are not finished.
        """

        def work(connection: sqlite3.Connection) -> tuple[Batch, Job]:
            _check_room(connection, owner)
            digest = self._input(connection, owner, request.input_file_id)
            expiry, now = request.output_expires_after, self.clock.now()
            inserted = connection.execute(
                "INSERT INTO batches (id, owner, endpoint, input_file_id, input_digest, "
                "completion_window, metadata, output_seconds, status, created_at, expires_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'validating', ?, ?) RETURNING *",
                (
                    *(f"batch_{uuid.uuid4().hex}", owner, request.endpoint, request.input_file_id),
                    *(digest, request.completion_window, request.metadata_text),
                    *(expiry and expiry.seconds, now, now + request.window_seconds),
                ),
            )
            row = inserted.fetchone()
            return _batch(row), Job.of(row)

        return await self.database.run(work)

    async def get(self, owner: str, batch_id: str) -> Batch:
        """Return an owner's batch.

        Raises:
            BatchMissing: there is none of this id.
        """
        return _batch(await self.database.run(lambda c: _row(c, owner, batch_id)))

    async def page(self, owner: str, after: str | None, limit: int) -> BatchList:
        """Return a page of an owner's batches, the newest first.

        Raises:
            BatchMissing: there is no batch `after`.
        """

        def work(connection: sqlite3.Connection) -> Sequence[sqlite3.Row]:
            place = None if after is None else _row(connection, owner, after)["number"]
            given = {"owner": owner, "place": place, "limit": limit + 1}
            return connection.execute(_PAGE, given).fetchall()

        rows = await self.database.run(work)
        data = [_batch(row) for row in rows[:limit]]
        ids = [batch.id for batch in data] or [None]
        return BatchList(data=data, first_id=ids[0], last_id=ids[-1], has_more=len(rows) > limit)

    async def cancel(self, owner: str, batch_id: str) -> Batch:
        """Note that a batch shall end; one that ends anyway stays as it is.

        Raises:
            BatchMissing: there is none of this id.
            FieldError: the batch is over.
        """

        def work(connection: sqlite3.Connection) -> Batch:
            row = _row(connection, owner, batch_id)
            if row["status"] in _OVER:
                raise FieldError(f"The batch is over: it is {row['status']}.", field="batch_id")
            if row["status"] in _STOPPABLE:
                self._set_status(connection, row["number"], "cancelling")
                row = _row(connection, owner, batch_id)
            return _batch(row)

        return await self.database.run(work)

    async def delete_old(self, seconds: int) -> None:
        """Delete the batches that are over and were created so long ago."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "DELETE FROM batches WHERE created_at <= ? "
                "AND number NOT IN (SELECT number FROM unfinished)",
                (self.clock.now() - seconds,),
            )

        await self.database.run(work)

    async def unfinished(self) -> list[Job]:
        """Return all batches that are not finished, the oldest first."""

        def work(connection: sqlite3.Connection) -> list[Job]:
            rows = connection.execute("SELECT * FROM unfinished ORDER BY number")
            return [Job.of(row) for row in rows]

        return await self.database.run(work)

    async def job(self, number: int) -> Job:
        """Return a batch as it is now."""

        def work(connection: sqlite3.Connection) -> Job:
            found = connection.execute("SELECT * FROM batches WHERE number = ?", (number,))
            return Job.of(found.fetchone())

        return await self.database.run(work)

    async def forget_lines(self, job: Job) -> None:
        """Delete the lines of a batch."""
        await self.database.run(lambda c: delete_lines(c, job))

    async def add_lines(self, job: Job, lines: Iterable[Line]) -> None:
        """Note the place of further lines of a batch."""

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "INSERT INTO lines (batch, number, start, bytes, custom_id) VALUES (?, ?, ?, ?, ?)",
                [
                    (job.number, line.number, line.start, line.size, line.custom_id)
                    for line in lines
                ],
            )

        await self.database.run(work)

    async def end_validation(self, job: Job, count: int, errors: Sequence[BatchError]) -> None:
        """Let a batch begin, or note why it cannot; one that is cancelled stays so."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("UPDATE batches SET total = ? WHERE number = ?", (count, job.number))
            if _status(connection, job.number) != "validating":
                return
            self._set_status(connection, job.number, "failed" if errors else "in_progress")
            if errors:
                told = BatchErrors(data=list(errors)).model_dump_json()
                connection.execute(
                    "UPDATE batches SET errors = ?, total = 0 WHERE number = ?", (told, job.number)
                )
                delete_lines(connection, job)

        await self.database.run(work)

    async def begin_finalizing(self, job: Job) -> None:
        """Note that the results of a batch become files; one that is cancelled stays so."""

        def work(connection: sqlite3.Connection) -> None:
            if _status(connection, job.number) == "in_progress":
                self._set_status(connection, job.number, "finalizing")

        await self.database.run(work)

    async def open_lines(self, job: Job, limit: int, *, beyond: int = 0) -> list[OpenLine]:
        """Return lines without an answer, in the order of the file.

        Args:
            job: the batch.
            limit: the maximum number of lines.
            beyond: the number of a line; only those after it are returned.
        """
        return await self._lines(
            "SELECT * FROM lines WHERE batch = ? AND number > ? AND NOT is_answered "
            "ORDER BY number LIMIT ?",
            (job.number, beyond, limit),
        )

    async def tried_lines(self, job: Job) -> list[OpenLine]:
        """Return the lines during which the server ended."""
        query = "SELECT * FROM lines WHERE batch = ? AND NOT is_answered AND tries > 0"
        return await self._lines(query, (job.number,))

    async def note_try(self, job: Job, line: Line, change: int) -> None:
        """Count that a line is asked (1), or that it was given back without an answer (-1)."""

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(
                "UPDATE lines SET tries = tries + ? WHERE batch = ? AND number = ?",
                (change, job.number, line.number),
            )

        await self.database.run_with_space(work)

    def end(self, connection: sqlite3.Connection, job: Job, status: str) -> None:
        """Note inside a transaction that a batch is over."""
        self._set_status(connection, job.number, status)
        delete_lines(connection, job)

    async def _lines(self, query: str, values: Sequence[int]) -> list[OpenLine]:
        rows = await self.database.run(lambda c: c.execute(query, values).fetchall())
        return [
            OpenLine(row["number"], row["start"], row["bytes"], row["custom_id"], row["tries"])
            for row in rows
        ]

    def _set_status(self, connection: sqlite3.Connection, number: int, status: str) -> None:
        connection.execute(_SET_STATUS[status], (self.clock.now(), number))

    def _input(self, connection: sqlite3.Connection, owner: str, file_id: str) -> str:
        """Return the digest of an owner's file of lines."""
        try:
            row = self.files.row(connection, owner, file_id)
        except FileMissing as error:
            words = "You have no file of this id: upload one with the purpose `batch`."
            raise FieldError(words, field="input_file_id") from error
        if row["purpose"] != "batch":
            words = f"The file has the purpose `{row['purpose']}`: upload it with `batch`."
            raise FieldError(words, field="input_file_id")
        return row["digest"]


_SET_STATUS = {
    status: f"UPDATE batches SET status = '{status}', {status}_at = ? WHERE number = ?"  # noqa: S608
    for status in (
        *("in_progress", "failed", "finalizing", "completed"),
        *("expired", "cancelling", "cancelled"),
    )
}
"""The statement for each status, which also notes the time."""


def delete_lines(connection: sqlite3.Connection, job: Job) -> None:
    """Delete the lines of a batch, inside a transaction."""
    connection.execute("DELETE FROM lines WHERE batch = ?", (job.number,))


def _row(connection: sqlite3.Connection, owner: str, batch_id: str) -> sqlite3.Row:
    found = connection.execute(
        "SELECT * FROM batches WHERE id = ? AND owner = ?", (batch_id, owner)
    )
    if (row := found.fetchone()) is None:
        raise BatchMissing
    return row


def _status(connection: sqlite3.Connection, number: int) -> str:
    found = connection.execute("SELECT status FROM batches WHERE number = ?", (number,))
    return found.fetchone()["status"]


def _check_room(connection: sqlite3.Connection, owner: str) -> None:
    found = connection.execute("SELECT COUNT(*) FROM unfinished WHERE owner = ?", (owner,))
    (count,) = found.fetchone()
    if count >= _MOST_UNFINISHED:
        raise TooManyBatches(_MOST_UNFINISHED)


def _batch(row: sqlite3.Row) -> Batch:
    values = {name: row[name] for name in row.keys() if name in Batch.model_fields}  # noqa: SIM118
    for name in ("errors", "metadata"):
        values[name] = values[name] and json.loads(values[name])
    counts = RequestCounts(total=row["total"], completed=row["completed"], failed=row["failed"])
    return Batch.model_validate(values | {"request_counts": counts})
