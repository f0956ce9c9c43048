"""Answers the tools of an agent on this machine by asking a server, over stdin and stdout."""

import asyncio
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote

from mcp.server.stdio import stdio_server
from pydantic import ValidationError

from emotion_llama.agents.server import make_server
from emotion_llama.agents.tools import LabelList
from emotion_llama.async_client import AsyncEmotionLLaMA
from emotion_llama.errors import EmotionLLaMAError
from emotion_llama.field_errors import first_error
from emotion_llama.media import is_url
from emotion_llama.schema import EmotionRequest, EmotionResponse

logger = logging.getLogger(__name__)

_FILE_URL = re.compile(r"file:(//(localhost)?(?=/))?", re.IGNORECASE)
_MAX_PATH = 4096
"""The maximum length of a path; a longer text is a clip in base64."""


async def serve(client: AsyncEmotionLLaMA, roots: Sequence[Path]) -> None:
    """Answer an agent until it closes this process's stdin.

    Args:
        client: asks the server.
        roots: the folders whose clips may be uploaded, as absolute paths without links.
    """
    server = make_server(Remote(client, roots))
    async with client, stdio_server() as (reads, writes):
        await server.run(reads, writes, server.create_initialization_options())


@dataclass(frozen=True)
class Remote:
    """Asks a server; of this machine's files it reads only those below the roots."""

    client: AsyncEmotionLLaMA
    roots: Sequence[Path]

    async def analyse(self, request: EmotionRequest) -> EmotionResponse:
        video = await asyncio.to_thread(self.clip, request.video or "")
        options = request.model_dump(exclude_unset=True, exclude={"video", "task"})
        return await self.client.analyze(video, task=request.task, explain=False, **options)

    async def labels(self) -> LabelList:
        model = (await self.client.models()).data[0]
        return LabelList(model=model.id, labels=model.labels, description=model.description)

    def sentence(self, error: Exception) -> str:
        if isinstance(error, ValidationError):
            return first_error(error.errors())[1]
        if isinstance(error, EmotionLLaMAError):
            return str(error)
        logger.error("A tool failed.", exc_info=error)
        return "The tool failed; the error output of `emotion-llama mcp` says why."

    def clip(self, video: str) -> str | Path:
        """Return a file below a root as its path; anything else in a form that is the server's.

        The client uploads whatever local file a path names, so it must not see any other path: an
        agent could make it send a file that its user has never allowed.
        """
        name = unquote(video[found.end() :]) if (found := _FILE_URL.match(video)) else video
        if not name or len(name) > _MAX_PATH or is_url(name):
            return video
        if (file := self._below_a_root(name)) is not None:
            return file
        return f"file://localhost{quote(name)}" if name.startswith("/") else f"file:{quote(name)}"

    def _below_a_root(self, name: str) -> Path | None:
        """Return the file that a name means, without links; None for hidden and other files."""
        for root in self.roots:
            try:
                file = (root / Path(name).expanduser()).resolve(strict=True)
                inside = file.relative_to(root)
            except (OSError, ValueError, RuntimeError):  # no such file, or none of this root
                continue
            if file.is_file() and not any(part.startswith(".") for part in inside.parts):
                return file
        return None
