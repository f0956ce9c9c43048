"""Where a clip's bytes are, and opening them: a path, a file or data URL, an http(s) URL.

Nothing is readable that the operator did not allow: no path outside the media roots, no host
outside the allowed domains.
"""

import asyncio
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pybase64

from emotion_llama_vllm import metrics
from emotion_llama_vllm.media.errors import (
    MediaError,
    MediaNotFound,
    MediaNotReadable,
    MediaTooLarge,
)
from emotion_llama_vllm.media.fetch import Fetcher
from emotion_llama_vllm.media.file import ClipFile
from emotion_llama_vllm.settings import MediaSettings


@dataclass(frozen=True)
class MediaReader:
    """Opens what a request names.

    Args:
        roots: folders whose files may be read.
        domains: `host` (ports 80 and 443) or `host:port`, from which may be fetched.
        settings: caps and deadline.
    """

    roots: Sequence[Path]
    domains: Sequence[str]
    settings: MediaSettings

    async def open(self, url: str) -> ClipFile:
        """Return the bytes behind `url` as an open file, which the caller closes.

        Raises:
            MediaError: what `url` names cannot be had (400), is not there (404) or is too large
                (413).
        """
        with metrics.fetch_seconds.time():
            if url.partition("://")[0].lower() in ("http", "https"):
                return await self._fetch(url)
            return await asyncio.to_thread(self._open_local, url)

    def _open_local(self, url: str) -> ClipFile:
        """The same for what needs no network: a data URL, a file URL or a path."""
        if url[:5].lower() == "data:":
            clip = ClipFile.in_memory(self._decode_data_url(url))
        else:
            clip = self._open_file(_path_of(url))
        if not clip.size:
            clip.close()
            raise MediaError("The clip is empty: it has no bytes.")
        return clip

    def _decode_data_url(self, url: str) -> bytes:
        head, comma, payload = url.partition(",")
        media_type, _, encoding = head[5:].rpartition(";")
        if not comma or encoding.strip().lower() != "base64":
            raise MediaError("A data URL must read data:video/mp4;base64,... (base64 only).")
        if media_type.lower() == "video/jpeg" or "," in payload[:4096]:
            raise MediaError("A sequence of JPEGs is no clip: send a video file or one picture.")
        if len(payload) * 3 // 4 > self.settings.max_media_bytes + 2:
            raise self._too_large()
        try:
            return pybase64.b64decode(payload, validate=True)
        except ValueError as error:
            raise MediaError("The data URL's payload is not valid base64.") from error

    def _open_file(self, path: str) -> ClipFile:
        resolved = self._resolve(path)
        try:
            descriptor = os.open(resolved, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise MediaNotFound("There is no such file in the media roots.") from error
        except OSError as error:
            raise MediaNotReadable("The file cannot be opened by the server.") from error
        try:
            self._check_opened(descriptor)
        except MediaError:
            os.close(descriptor)
            raise
        return ClipFile(os.fdopen(descriptor, "rb"))

    def _check_opened(self, descriptor: int) -> None:
        """Look at what was opened, as the path may have become another's since it was resolved."""
        opened, status = Path(f"/proc/self/fd/{descriptor}").readlink(), os.fstat(descriptor)
        if not any(opened.is_relative_to(os.path.realpath(root)) for root in self.roots):
            raise MediaNotReadable("The path leads outside the folders that this server reads.")
        if not stat.S_ISREG(status.st_mode):
            raise MediaError("The path names no regular file; name a video file.")
        if status.st_size > self.settings.max_media_bytes:
            raise self._too_large()

    def _resolve(self, path: str) -> str:
        """The path with links resolved, inside a root; relative paths are tried in each root."""
        roots = [os.path.realpath(root) for root in self.roots]
        try:
            resolved = [os.path.realpath(Path(root) / path) for root in roots]
        except (OSError, ValueError) as error:
            raise MediaError("The path is not a valid file name.") from error
        inside = [
            place for place in resolved if any(Path(place).is_relative_to(root) for root in roots)
        ]
        found = next(filter(os.path.exists, inside), None)
        if found is None and (not inside or len(inside) < len(resolved)):
            raise MediaNotReadable(
                "The path is outside the folders that this server reads; "
                "start it with --media-root DIR to allow one."
            )
        return found or inside[0]

    async def _fetch(self, url: str) -> ClipFile:
        fetcher = Fetcher(
            domains=self.domains,
            private_hosts=self.settings.allow_private_media_host,
            max_bytes=self.settings.max_media_bytes,
            seconds=self.settings.media_fetch_seconds,
            trust_env=self.settings.media_trust_env,
        )
        clip = ClipFile.in_memory()
        try:
            await fetcher.fetch(url, clip.file)
            clip.file.flush()
        except BaseException:
            clip.close()
            raise
        return clip

    def _too_large(self) -> MediaTooLarge:
        return MediaTooLarge(
            f"The clip is over {self.settings.max_media_mb:g} MiB, the most that this server takes."
        )


def _path_of(url: str) -> str:
    """The path that a `file:` URL or a bare path names."""
    if url[:5].lower() == "file:":
        parts = urlsplit(url)
        if parts.netloc not in ("", "localhost"):
            raise MediaError("A file URL must read file:///path, without a host.")
        return unquote(parts.path)
    if "://" in url[:32]:
        raise MediaError("A clip is named by a path or a file:, data:, http: or https: URL.")
    if not url.strip():
        raise MediaError("The clip's path or URL is empty.")
    return url
