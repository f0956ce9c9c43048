"""Opens the folder of `--data-dir`, and starts what works in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from fastapi import FastAPI

from emotion_llama_server.data.clock import Clock
from emotion_llama_server.data.folder import DataFolder, check_apart
from emotion_llama_server.files import routes as files
from emotion_llama_server.files.expiry import keep_tidy
from emotion_llama_server.files.store import FileStore
from emotion_llama_server.settings import ServerSettings
from emotion_llama_server.start.lifecycle import Lifecycle
from emotion_llama_vllm.media.read import uploads


@dataclass(frozen=True)
class Storage:
    """Holds what a server keeps across its restarts."""

    files: FileStore

    @classmethod
    def open(cls, settings: ServerSettings, roots: Sequence[Path]) -> Self | None:
        """Open the operator's folder; return None if there is none.

        Args:
            settings: the operator's settings.
            roots: the folders whose files requests may name by their paths.

        Raises:
            DataFolderError: this server cannot own the folder.
        """
        if settings.data_dir is None:
            return None
        check_apart(settings.data_dir, roots)
        return cls(FileStore(DataFolder(settings.data_dir), Clock(), settings))

    async def start(self, lifecycle: Lifecycle) -> None:
        """Let requests name the files as clips, and delete what expires."""
        uploads.use(self.files)
        await self.files.drop_unused()
        lifecycle.start(keep_tidy(self.files))


def install(app: FastAPI) -> None:
    """Add the routes of what is kept."""
    app.include_router(files.router)
