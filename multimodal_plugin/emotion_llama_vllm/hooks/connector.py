"""Lets vLLM fetch clips through our `MediaReader`, by vLLM's media connector registry.

`VLLM_MEDIA_CONNECTOR=emotion_llama` selects it; `emotion-llama serve` sets this variable.
"""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeVar, cast

from vllm.exceptions import GracefulHTTPError
from vllm.multimodal.media import MEDIA_CONNECTOR_REGISTRY, MediaConnector, MediaIO

from emotion_llama_vllm.media.errors import MediaError, shortage
from emotion_llama_vllm.media.read.reader import MediaReader
from emotion_llama_vllm.media.workers.decoder import decode_clip
from emotion_llama_vllm.settings import media_settings

NAME = "emotion_llama"

_M = TypeVar("_M")


def media_reader(
    allowed_local_media_path: str, allowed_media_domains: list[str] | None
) -> MediaReader:
    """Return a reader that allows what this process's settings and vLLM's own two flags allow."""
    vllm_root = (Path(allowed_local_media_path),) if allowed_local_media_path else ()
    settings = media_settings()
    return MediaReader(
        roots=(*settings.media_root, *vllm_root),
        domains=allowed_media_domains or (),
        settings=settings,
    )


@MEDIA_CONNECTOR_REGISTRY.register(NAME)
class EmotionLlamaMediaConnector(MediaConnector):
    """Reads clips from several media roots; nothing is allowed by default, and refusals are 4xx.

    vLLM's own `--allowed-local-media-path` counts as one more root; `--allowed-media-domains` lists
    the hosts, none by default.
    """

    def __init__(
        self,
        media_io_kwargs: dict[str, dict[str, Any]] | None = None,
        *,
        allowed_local_media_path: str = "",
        allowed_media_domains: list[str] | None = None,
    ) -> None:
        super().__init__(media_io_kwargs=media_io_kwargs)
        self._reader = media_reader(allowed_local_media_path, allowed_media_domains)

    async def load_from_url_async(
        self, url: str, media_io: MediaIO[_M], *, fetch_timeout: int | None = None
    ) -> _M:
        """Return the clip without the file's bytes; vLLM computes its cache key from the clip."""
        try:
            with await self._reader.open(url) as file:
                clip = await decode_clip(file)
        except MediaError as error:
            raise UnusableClip(error) from error
        except (OSError, MemoryError, RuntimeError) as error:
            if (busy := shortage(error)) is None:
                raise
            raise UnusableClip(busy) from error
        return cast(_M, (clip.frame[None], clip.metadata()))

    def load_from_url(
        self, url: str, media_io: MediaIO[_M], *, fetch_timeout: int | None = None
    ) -> _M:
        """Load a clip for `vllm.LLM`, which is synchronous; this thread may already run a loop."""
        with ThreadPoolExecutor(max_workers=1) as pool:
            return pool.submit(asyncio.run, self.load_from_url_async(url, media_io)).result()


class UnusableClip(GracefulHTTPError):
    """Wraps a `MediaError` so that vLLM's server responds with the error's own status and code."""

    def __init__(self, error: MediaError) -> None:
        super().__init__(str(error), HTTPStatus(error.status))
        self.code = error.code
