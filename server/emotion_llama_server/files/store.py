"""Keeps files for their owners in the data folder, until they are deleted or expire."""

import sqlite3
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, Literal, cast

from emotion_llama.stored import FileList, FileObject, Purpose
from emotion_llama_server.data.clock import Clock
from emotion_llama_server.data.folder import DataFolder
from emotion_llama_server.files.errors import FileMissing, QuotaExceeded
from emotion_llama_server.files.objects import Incoming, Objects
from emotion_llama_server.settings import ServerSettings
from emotion_llama_vllm.media.clip_file import ClipFile
from emotion_llama_vllm.media.errors import MediaNotFound, clip_too_large
from emotion_llama_vllm.settings import media_settings
from emotion_llama_vllm.shares import asking

_MOST_FILES = 100_000
"""The maximum number of files of one owner."""
_MOST_EXPIRED = 500
"""The maximum number of files that one transaction deletes; others wait for the database."""
_DAY = 86_400
_PAGES = {
    "asc": "SELECT * FROM files WHERE owner = :owner AND expires_at > :now "
    "AND (:purpose IS NULL OR purpose = :purpose) AND (:place IS NULL OR number > :place) "
    "ORDER BY number LIMIT :limit",
    "desc": "SELECT * FROM files WHERE owner = :owner AND expires_at > :now "
    "AND (:purpose IS NULL OR purpose = :purpose) AND (:place IS NULL OR number < :place) "
    "ORDER BY number DESC LIMIT :limit",
}


@dataclass(frozen=True)
class NewFile:
    """Describes a complete upload."""

    owner: str
    filename: str
    purpose: Purpose
    seconds: int | None = None
    """The seconds until it expires; None for as long as the operator keeps files."""


class FileStore:
    """Keeps files; an owner's name is that of its key, and empty on a server without keys."""

    def __init__(self, folder: DataFolder, clock: Clock, settings: ServerSettings) -> None:
        self.folder, self._clock = folder, clock
        self.objects = Objects(folder)
        self._most_bytes = int(settings.max_stored_gb * 2**30)
        self.most_seconds = settings.keep_days * _DAY
        """The seconds for which something is kept at most."""

    async def check_room(self, owner: str, size: int) -> None:
        """Refuse an upload that is over the owner's quota, before it is read.

        Raises:
            QuotaExceeded: it is.
        """
        await self.folder.database.run(lambda connection: self._check(connection, owner, size))

    async def add(self, file: NewFile, incoming: Incoming, digest: str) -> FileObject:
        """Keep a complete upload.

        Raises:
            QuotaExceeded: the owner keeps too much.
            StorageFull: there is no disk space for it.
        """

        def work(connection: sqlite3.Connection) -> FileObject:
            self._check(connection, file.owner, incoming.size)
            self.objects.add(incoming.path, digest)
            return self.insert(connection, file, incoming.size, digest)

        return await self.folder.database.run(work)

    def insert(
        self, connection: sqlite3.Connection, file: NewFile, size: int, digest: str
    ) -> FileObject:
        """Add the row of a file whose content is stored, inside a transaction."""
        now = self._clock.now()
        seconds = min(file.seconds or self.most_seconds, self.most_seconds)
        row = connection.execute(
            "INSERT INTO files (id, owner, digest, bytes, filename, purpose, created_at, "
            "expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING *",
            (
                *(f"file-{uuid.uuid4().hex}", file.owner, digest, size),
                *(file.filename, file.purpose, now, now + seconds),
            ),
        )
        return _file(row.fetchone())

    async def get(self, owner: str, file_id: str) -> FileObject:
        """Return an owner's file.

        Raises:
            FileMissing: there is none of this id.
        """
        return _file(await self.folder.database.run(lambda c: self.row(c, owner, file_id)))

    async def open(self, owner: str, file_id: str) -> tuple[FileObject, BinaryIO]:
        """Return an owner's file, and its content, which the caller closes.

        Raises:
            FileMissing: there is none of this id.
        """

        def work(connection: sqlite3.Connection) -> tuple[FileObject, BinaryIO]:
            row = self.row(connection, owner, file_id)
            return _file(row), self.objects.open(row["digest"])

        return await self.folder.database.run(work, discard=lambda found: found[1].close())

    async def open_clip(self, file_id: str) -> ClipFile:
        """Return a file of the current request's key as a clip, which the caller closes.

        Raises:
            MediaNotFound: the key has no such file.
            MediaTooLarge: it is larger than a clip may be.
        """
        try:
            file, content = await self.open(asking.get().key, file_id)
        except FileMissing as error:
            raise MediaNotFound(
                "There is no file of this id, or no longer: upload it with POST /v1/files."
            ) from error
        clip = ClipFile(content)
        if file.bytes > (most := media_settings().max_media_bytes):
            clip.close()
            raise clip_too_large(most)
        return clip

    async def page(
        self,
        owner: str,
        *,
        purpose: str | None,
        after: str | None,
        limit: int,
        order: Literal["asc", "desc"],
    ) -> FileList:
        """Return a page of an owner's files.

        Raises:
            FileMissing: there is no file `after`.
        """

        def work(connection: sqlite3.Connection) -> Sequence[sqlite3.Row]:
            place = None if after is None else self.row(connection, owner, after)["number"]
            given = {"owner": owner, "purpose": purpose, "place": place}
            given |= {"now": self._clock.now(), "limit": limit + 1}
            return connection.execute(_PAGES[order], given).fetchall()

        rows = await self.folder.database.run(work)
        data = [_file(row) for row in rows[:limit]]
        ids = [file.id for file in data] or [None]
        return FileList(data=data, first_id=ids[0], last_id=ids[-1], has_more=len(rows) > limit)

    async def delete(self, owner: str, file_id: str) -> None:
        """Delete an owner's file, and its content unless something else needs it.

        Raises:
            FileMissing: there is none of this id.
        """

        def work(connection: sqlite3.Connection) -> str:
            row = self.row(connection, owner, file_id)
            connection.execute("DELETE FROM files WHERE number = ?", (row["number"],))
            return row["digest"]

        await self.drop_unused([await self.folder.database.run(work)])

    async def delete_expired(self) -> int:
        """Delete some of the expired files; return how many."""

        def work(connection: sqlite3.Connection) -> list[str]:
            rows = connection.execute(
                "SELECT number, digest FROM files WHERE expires_at <= ? LIMIT ?",
                (self._clock.now(), _MOST_EXPIRED),
            ).fetchall()
            connection.executemany(
                "DELETE FROM files WHERE number = ?", [(row["number"],) for row in rows]
            )
            return [row["digest"] for row in rows]

        digests = await self.folder.database.run(work)
        await self.drop_unused(digests)
        return len(digests)

    async def drop_unused(self, digests: Sequence[str] | None = None) -> None:
        """Delete contents that no file and no unfinished batch needs.

        This follows the transaction that deletes the last row: a server that is killed between them
        leaves a content too many, which the next start deletes, and never one too few.

        Args:
            digests: the contents in question, by default all.
        """

        def work(connection: sqlite3.Connection) -> None:
            for digest in self.objects.digests() if digests is None else digests:
                if not _is_used(connection, digest):
                    self.objects.remove(digest)

        await self.folder.database.run(work)

    async def kept(self) -> tuple[int, int]:
        """Return the number of files, and their bytes together."""

        def work(connection: sqlite3.Connection) -> tuple[int, int]:
            row = connection.execute("SELECT COUNT(*), COALESCE(SUM(bytes), 0) FROM files")
            return cast(tuple[int, int], tuple(row.fetchone()))

        return await self.folder.database.run(work)

    def row(self, connection: sqlite3.Connection, owner: str, file_id: str) -> sqlite3.Row:
        """Return the row of an owner's file, inside a transaction.

        Raises:
            FileMissing: there is none of this id.
        """
        row = connection.execute(
            "SELECT * FROM files WHERE id = ? AND owner = ? AND expires_at > ?",
            (file_id, owner, self._clock.now()),
        ).fetchone()
        if row is None:
            raise FileMissing
        return row

    def _check(self, connection: sqlite3.Connection, owner: str, size: int) -> None:
        count, stored = connection.execute(
            "SELECT COUNT(*), COALESCE(SUM(bytes), 0) FROM files WHERE owner = ?", (owner,)
        ).fetchone()
        if count >= _MOST_FILES:
            raise QuotaExceeded(f"You keep {count} files, the most that this server takes")
        if stored + size > self._most_bytes:
            most = self._most_bytes / 2**30
            raise QuotaExceeded(
                f"With this file you would keep over {most:g} GiB, the most of a key here"
            )


def _is_used(connection: sqlite3.Connection, digest: str) -> bool:
    found = connection.execute(
        "SELECT 1 FROM files WHERE digest = :digest UNION ALL "
        "SELECT 1 FROM unfinished WHERE input_digest = :digest LIMIT 1",
        {"digest": digest},
    )
    return found.fetchone() is not None


def _file(row: sqlite3.Row) -> FileObject:
    return FileObject.model_validate({name: row[name] for name in row.keys()})  # noqa: SIM118
