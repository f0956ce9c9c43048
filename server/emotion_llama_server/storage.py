"""Opens the folder of `--data-dir`, and starts what works in it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from fastapi import FastAPI
from vllm.platforms import current_platform

from emotion_llama_server.batches import routes as batches
from emotion_llama_server.batches.lines import LineAnswerer
from emotion_llama_server.batches.pace import Pace
from emotion_llama_server.batches.results import Results
from emotion_llama_server.batches.runner import Runner
from emotion_llama_server.batches.store import BatchStore
from emotion_llama_server.data.clock import Clock
from emotion_llama_server.data.folder import DataFolder, check_apart
from emotion_llama_server.files import routes as files
from emotion_llama_server.files.expiry import keep_tidy
from emotion_llama_server.files.store import FileStore
from emotion_llama_server.settings import ServerSettings
from emotion_llama_server.start.lifecycle import Lifecycle
from emotion_llama_vllm.media.read import uploads
from emotion_llama_vllm.settings import media_settings

Models = Callable[[], Awaitable[Sequence[str]]]
_LINES = 20
"""The number of lines of batches that are answered at once while nobody asks the model."""
_SINGLE_SECONDS = 10
"""Seconds between two lines while others ask a model on CPUs, where each slows all others down."""


@dataclass(frozen=True)
class Storage:
    """Holds what a server keeps across its restarts."""

    files: FileStore
    batches: Runner

    @classmethod
    def open(
        cls, app: FastAPI, settings: ServerSettings, lifecycle: Lifecycle, models: Models
    ) -> Self | None:
        """Open the operator's folder; return None if the operator names none.

        Args:
            app: the whole app, which answers the lines of batches.
            settings: the operator's settings.
            lifecycle: starts the tasks of the server.
            models: returns the names of the served models.

        Raises:
            DataFolderError: this server cannot own the folder.
        """
        if settings.data_dir is None:
            return None
        return cls.of(DataFolder(settings.data_dir), Clock(), app, settings, lifecycle, models)

    @classmethod
    def of(
        cls,
        folder: DataFolder,
        clock: Clock,
        app: FastAPI,
        settings: ServerSettings,
        lifecycle: Lifecycle,
        models: Models,
    ) -> Self:
        """Combine the parts that work in a folder, by this clock."""
        kept = FileStore(folder, clock, settings)
        store, doorkeeper = BatchStore(kept, clock), lifecycle.doorkeeper
        pace = Pace(doorkeeper, _LINES, _SINGLE_SECONDS if current_platform.is_cpu() else 0)
        runner = Runner(
            store=store,
            results=Results(store),
            answerer=LineAnswerer(app, store, doorkeeper, pace),
            doorkeeper=doorkeeper,
            models=models,
            most_bytes=settings.max_body_bytes(media_settings()),
            start=lifecycle.start,
            pace=pace,
        )
        return cls(kept, runner)

    async def start(self, lifecycle: Lifecycle) -> None:
        """Let requests name the files as clips, go on with batches, and delete what expires."""
        uploads.use(self.files)
        await self.files.drop_unused()
        lifecycle.start(keep_tidy(self.files, self.batches.store))
        lifecycle.start(self.batches.go_on())


def install(app: FastAPI) -> None:
    """Add the routes of what is kept."""
    app.include_router(files.router)
    app.include_router(batches.router)


def check(settings: ServerSettings, roots: Sequence[Path]) -> None:
    """Check that the folder is no place whose files requests may name by their paths.

    Raises:
        DataFolderError: it is.
    """
    if settings.data_dir is not None:
        check_apart(settings.data_dir, roots)
