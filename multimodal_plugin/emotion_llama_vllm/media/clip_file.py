"""Keeps the bytes of a clip in an open file without a visible name, which vanishes on close."""

import hashlib
import os
from functools import cached_property
from types import TracebackType
from typing import BinaryIO, Self, cast


class ClipFile:
    """Represents an open file with the bytes of a clip.

    It is either a descriptor of a file in a media root, or unnamed memory or disk space, so that no
    copy outlives the process, however the process ends.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    @classmethod
    def in_memory(cls, data: bytes = b"") -> Self:
        """Return a file in memory, for bytes from the network or from a request."""
        file = os.fdopen(os.memfd_create("clip", os.MFD_CLOEXEC), "w+b")
        file.write(data)
        file.flush()
        return cls(cast(BinaryIO, file))

    @property
    def file(self) -> BinaryIO:
        return self._file

    @property
    def path(self) -> str:
        """Return a path that opens this file in another process of the same user.

        The path works even after the file is moved or deleted, as long as this file is open.
        """
        return f"/proc/{os.getpid()}/fd/{self._file.fileno()}"

    @property
    def size(self) -> int:
        """Return the size in bytes."""
        return os.fstat(self._file.fileno()).st_size

    def read(self) -> bytes:
        """Return all bytes, regardless of the file's current position."""
        return os.pread(self._file.fileno(), self.size, 0)

    @cached_property
    def digest(self) -> bytes:
        """Return the SHA-256 of the content, which is computed once for all caches."""
        return hashlib.sha256(self.read()).digest()

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
