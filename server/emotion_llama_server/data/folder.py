"""Claims the folder of `--data-dir` for one server, and makes it private."""

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path

from emotion_llama_server.data.database import Database
from emotion_llama_server.data.schema import NewerSchema

_PRIVATE = 0o700
_ROOMS = ("objects", "uploads", "results")


class DataFolderError(ValueError):
    """Reports a folder that this server cannot own; the message names it and the cure."""


class DataFolder:
    """Owns a folder until it is closed, or the process ends in any way.

    Args:
        path: the folder, which is created if it does not exist.

    Raises:
        DataFolderError: another server owns it, it cannot be written, or a later release wrote it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock = -1
        try:
            self._prepare()
            self.database = Database(self.path / "state.sqlite3")
        except (OSError, sqlite3.Error) as error:
            self._release()
            why = getattr(error, "strerror", None) or str(error)
            raise DataFolderError(f"--data-dir: {path} cannot be used ({why}).") from error
        except NewerSchema as error:
            self._release()
            raise DataFolderError(f"--data-dir: {path} cannot be used ({error}).") from error
        except DataFolderError:
            self._release()
            raise

    @property
    def objects(self) -> Path:
        """Return the folder of the files' contents, named by their digests."""
        return self.path / "objects"

    @property
    def uploads(self) -> Path:
        """Return the folder of files that are being received."""
        return self.path / "uploads"

    @property
    def results(self) -> Path:
        """Return the folder of the results of batches that are not finished."""
        return self.path / "results"

    def close(self) -> None:
        """Leave the folder to another server."""
        self.database.close()
        self._release()

    def _prepare(self) -> None:
        self.path.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        with contextlib.suppress(PermissionError):  # a volume may belong to another user
            self.path.chmod(_PRIVATE)
        self._claim()
        for room in _ROOMS:
            (self.path / room).mkdir(mode=_PRIVATE, exist_ok=True)
        for left in self.uploads.iterdir():  # by a server that was killed
            left.unlink()

    def _claim(self) -> None:
        """Lock the folder. A process that is forked does not inherit this kind of lock."""
        self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.lockf(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError) as error:
            raise DataFolderError(
                f"--data-dir: another server uses {self.path}; give each server its own folder."
            ) from error

    def _release(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def check_data_folder(path: Path, roots: Iterable[Path]) -> None:
    """Check that a server can own a folder, without keeping it.

    Args:
        path: the folder.
        roots: the folders whose files requests may name by their paths.

    Raises:
        DataFolderError: it cannot.
    """
    check_apart(path, roots)
    DataFolder(path).close()


def check_apart(path: Path, roots: Iterable[Path]) -> None:
    """Refuse a folder whose files requests could name by their paths, whoever uploaded them.

    Raises:
        DataFolderError: a media root holds the folder.
    """
    for root in roots:
        if path.resolve().is_relative_to(root.resolve()):
            raise DataFolderError(
                f"--data-dir: {path} is inside {root}, whose files any request may name; "
                "choose a folder outside."
            )
