"""Stores contents under their SHA-256, so that equal bytes exist once and no name is a path."""

import contextlib
import errno
import hashlib
import os
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import BinaryIO

from emotion_llama_server.data.database import disk_full
from emotion_llama_server.data.folder import DataFolder


class Incoming:
    """Represents a file that is being written; it is deleted unless it is stored.

    Args:
        folder: a folder on the same file system as the objects.
    """

    def __init__(self, folder: Path) -> None:
        with full_disk():
            descriptor, path = tempfile.mkstemp(dir=folder)  # which only this user may read
        self.path, self.size = Path(path), 0
        self._file, self._sha256 = os.fdopen(descriptor, "wb"), hashlib.sha256()

    def write(self, data: bytes) -> None:
        """Append bytes.

        Raises:
            StorageFull: there is no disk space for them.
        """
        with full_disk():
            self._file.write(data)
        self._sha256.update(data)
        self.size += len(data)

    def finish(self) -> str:
        """Bring all bytes to the disk, and return their SHA-256 in hexadecimal digits.

        Raises:
            StorageFull: there is no disk space for them.
        """
        with full_disk():
            self._file.flush()
            os.fdatasync(self._file.fileno())
        return self._sha256.hexdigest()

    def discard(self) -> None:
        """Close the file, and delete it if it still has its name."""
        with contextlib.suppress(OSError):  # bytes that no disk takes are lost here
            self._file.close()
        self.path.unlink(missing_ok=True)


class Objects:
    """Holds contents by their digests. Only the database's thread adds and removes them."""

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder.objects

    def add(self, path: Path, digest: str) -> None:
        """Give a complete file on the same file system its digest as a further name."""
        place = self._place(digest)
        with full_disk():
            place.parent.mkdir(mode=0o700, exist_ok=True)
            with contextlib.suppress(FileExistsError):  # equal bytes are there
                os.link(path, place)
            _sync(place.parent)

    def remove(self, digest: str) -> None:
        """Delete a content; a program that has it open can read it to its end."""
        self._place(digest).unlink(missing_ok=True)

    def open(self, digest: str) -> BinaryIO:
        """Open a content for reading."""
        return self._place(digest).open("rb")

    def digests(self) -> Iterator[str]:
        """Yield the digests of all contents."""
        for place in self._folder.glob("*/*"):
            yield place.parent.name + place.name

    def _place(self, digest: str) -> Path:
        # A folder with a hundred thousand entries would be slow to list.
        return self._folder / digest[:2] / digest[2:]


def _sync(folder: Path) -> None:
    """Bring a folder's names to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def full_disk() -> Generator[None]:
    """Report a full disk or quota as `StorageFull`."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full() from error
        raise
