"""The bytes of a clip in an open file that has no name to others, and goes when it is closed."""

import hashlib
import os
from functools import cached_property
from types import TracebackType
from typing import BinaryIO, Self, cast


class ClipFile:
    """An open file.

    Either a descriptor of a file in a media root, or memory or disk space without a name: nothing
    of it outlives the process, however that ends.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    @classmethod
    def in_memory(cls, data: bytes = b"") -> Self:
        """A file in memory, for what comes over the network or inside a request."""
        file = os.fdopen(os.memfd_create("clip", os.MFD_CLOEXEC), "w+b")
        file.write(data)
        file.flush()
        return cls(cast(BinaryIO, file))

    @property
    def file(self) -> BinaryIO:
        return self._file

    @property
    def path(self) -> str:
        """Opens the very same file in another process of the same user, moved and deleted or not.

        Valid as long as this one is open.
        """
        return f"/proc/{os.getpid()}/fd/{self._file.fileno()}"

    @property
    def size(self) -> int:
        """In bytes."""
        return os.fstat(self._file.fileno()).st_size

    def read(self) -> bytes:
        """All of it; wherever the file stands."""
        return os.pread(self._file.fileno(), self.size, 0)

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of its content, which is read once for all who know a clip by it."""
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
