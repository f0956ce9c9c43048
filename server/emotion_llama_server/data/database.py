"""Runs transactions in the one thread that uses the database."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from emotion_llama_server.data.schema import migrate
from emotion_llama_server.logger import logger
from emotion_llama_vllm.media.errors import StorageFull

FULL_SECONDS = 10
"""Seconds between two attempts to write to a disk that is full."""

_T = TypeVar("_T")
Work = Callable[[sqlite3.Connection], _T]


class Database:
    """Holds an SQLite database, whose transactions run one after another, in their order.

    Args:
        path: the database's file; only its owner may read it.

    Raises:
        NewerSchema: a later release has written the tables.
        sqlite3.Error: the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._connection = _connect(path)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="database")

    async def run(self, work: Work[_T], discard: Callable[[_T], None] | None = None) -> _T:
        """Return the result of `work`, all changes of which are kept, or none if it fails.

        Args:
            work: a function of the connection.
            discard: a function that disposes of the result if the caller is cancelled before.

        Raises:
            StorageFull: there is no disk space for the changes.
        """
        future = self._thread.submit(self._transact, work)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            if discard is not None:
                future.add_done_callback(lambda late: _discard(late, discard))
            raise

    async def run_with_space(self, work: Work[_T]) -> _T:
        """Return the result of `work` as `run` does; while the disk is full, wait and try again."""
        while True:
            try:
                return await self.run(work)
            except StorageFull:
                logger.warning("Batches wait, because the disk is full.")
                await asyncio.sleep(FULL_SECONDS)

    def _transact(self, work: Work[_T]) -> _T:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            result = work(self._connection)
            self._connection.execute("COMMIT")
        except BaseException as error:
            if self._connection.in_transaction:  # SQLite itself ends some that fail
                self._connection.execute("ROLLBACK")
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
                raise disk_full() from error
            raise
        return result

    def close(self) -> None:
        """Finish the transactions that wait, and close the file."""
        self._thread.shutdown()
        self._connection.close()


def _discard(future: Future[_T], discard: Callable[[_T], None]) -> None:
    if not future.cancelled() and future.exception() is None:
        discard(future.result())


def disk_full() -> StorageFull:
    """Return the error for a disk that is full."""
    return StorageFull("The server's disk is full; delete files with DELETE /v1/files/{id}.")


def _connect(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600)  # the files beside it get the same permissions
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        migrate(connection)
    except BaseException:
        connection.close()
        raise
    return connection
