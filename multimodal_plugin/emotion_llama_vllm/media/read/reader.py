"""Opens the bytes of a clip that a request names by a path, a file, data or http(s) URL, or an id.

It reads only places that the operator allows: paths inside the media roots, hosts of the allowed
domains, and the files that the key of the request has uploaded.
"""

import asyncio
import errno
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import unquote

from emotion_llama.media import is_url
from emotion_llama_vllm.media.clip_file import ClipFile
from emotion_llama_vllm.media.errors import (
    MediaError,
    MediaNotFound,
    MediaNotReadable,
    ServerBusy,
    clip_too_large,
    shortage,
)
from emotion_llama_vllm.media.read import uploads
from emotion_llama_vllm.media.read.data_url import is_inline_clip, read_inline_clip
from emotion_llama_vllm.media.read.http import Fetcher
from emotion_llama_vllm.media.read.threads import files
from emotion_llama_vllm.settings import MediaSettings
from emotion_llama_vllm.telemetry import stage

_MAX_PATH_BYTES = 4096
"""The maximum length of a path; Linux opens no longer one, and resolving takes quadratic time."""
_MAX_URL_BYTES = 8192


@dataclass(frozen=True)
class MediaReader:
    """Opens the clips that requests name.

    Args:
        roots: folders whose files may be read.
        domains: the hosts from which clips may be fetched: `host` (ports 80 and 443) or
            `host:port`.
        settings: the limits and the deadline.
    """

    roots: Sequence[Path]
    domains: Sequence[str]
    settings: MediaSettings

    async def open(self, url: str) -> ClipFile:
        """Return the bytes of `url` as an open file, which the caller closes.

        Raises:
            MediaError: `url` is not allowed or not readable (400), is not there (404), is too large
                (413), or the server lacks the resources to read it (503).
        """
        url = url.strip()
        scheme, is_inline = url[:8].lower(), is_inline_clip(url)
        if not is_inline:
            _check_length(url)
        with stage("fetch"):
            try:
                if scheme.startswith(("http://", "https://")):
                    return await self._fetch(url)
                if is_inline:
                    return await asyncio.to_thread(self._read_inline, url)
                if uploads.is_file_id(url) and (kept := uploads.current()) is not None:
                    return await kept.open_clip(url)
                return await self._open_path(_path_of(url))
            except (OSError, MemoryError, RuntimeError) as error:
                if (busy := shortage(error)) is None:
                    raise
                raise busy from error

    def _read_inline(self, url: str) -> ClipFile:
        """Return the clip that a data URL or a bare base64 text holds."""
        data = read_inline_clip(url, self.settings.max_media_bytes)
        if not data:
            raise _empty()
        return ClipFile.in_memory(data)

    async def _open_path(self, path: str) -> ClipFile:
        """Open a file in a thread, because its file system may hang."""
        seconds = self.settings.media_fetch_seconds
        try:
            async with asyncio.timeout(seconds):
                return await files.run(partial(self._open_file, path), discard=ClipFile.close)
        except TimeoutError as error:
            raise ServerBusy(
                f"The clip's file could not be opened within {seconds:g} s; ask again later."
            ) from error

    def _open_file(self, path: str) -> ClipFile:
        """Open a file in a media root and check that its kind and size are those of a clip."""
        resolved = self._resolve(path)
        try:
            descriptor = os.open(resolved, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise _missing() from error
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                raise _missing() from error
            busy = shortage(error)
            raise busy or MediaNotReadable("The file cannot be opened by the server.") from error
        try:
            self._check_opened(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        return ClipFile(os.fdopen(descriptor, "rb"))

    def _check_opened(self, descriptor: int) -> None:
        """Check the opened file, because the path may name another file since it was resolved."""
        opened, status = Path(f"/proc/self/fd/{descriptor}").readlink(), os.fstat(descriptor)
        if not any(opened.is_relative_to(os.path.realpath(root)) for root in self.roots):
            raise MediaNotReadable(
                "The path leads outside the folders that this server reads; upload the file."
            )
        if not stat.S_ISREG(status.st_mode):
            raise MediaError("The path names no regular file; name a video file.")
        if status.st_size > self.settings.max_media_bytes:
            raise clip_too_large(self.settings.max_media_bytes)
        if not status.st_size:
            raise _empty()

    def _resolve(self, path: str) -> str:
        """Return the path with its links resolved; a relative path is tried in each root.

        Raises:
            MediaError: it is no path, or is outside all roots.
        """
        roots = [os.path.realpath(root) for root in self.roots]
        try:
            resolved = [os.path.realpath(Path(root) / path) for root in roots]
        except (OSError, ValueError, RecursionError) as error:
            raise MediaError("The path is not a valid file name.") from error
        inside = [
            place for place in resolved if any(Path(place).is_relative_to(root) for root in roots)
        ]
        found = next(filter(os.path.exists, inside), None)
        if found is None and (not inside or len(inside) < len(resolved)):
            raise MediaNotReadable(
                "The path is outside the folders that this server reads; "
                "start it with --media-root DIR to allow one, or upload the file."
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


def _check_length(url: str) -> None:
    """Raise MediaError for a path or URL that is longer than any valid one."""
    has_scheme = is_url(url) or url[:5].lower() == "file:"
    most = _MAX_URL_BYTES if has_scheme else _MAX_PATH_BYTES
    # The count of characters comes first, so that a huge text is not encoded.
    if len(url) > most or len(url.encode(errors="surrogatepass")) > most:
        raise MediaError(f"The clip's {'URL' if has_scheme else 'path'} is over {most} bytes.")


def _path_of(url: str) -> str:
    """Return the path that a `file:` URL or a bare path names.

    Raises:
        MediaError: it names no path.
    """
    if url[:5].lower() == "file:":
        return _path_of_file_url(url)
    if is_url(url):
        raise MediaError("A clip is named by a path or a file:, data:, http: or https: URL.")
    if not url.strip():
        raise MediaError("The clip's path or URL is empty.")
    return url


def _path_of_file_url(url: str) -> str:
    path = url[5:]
    if path.startswith("//"):
        host, slash, path = path[2:].partition("/")
        if host.lower() not in ("", "localhost"):
            raise MediaError("A file URL must read file:///path, without a host.")
        path = slash + path
    path = unquote(path)  # a file name may hold `#` and `?` here
    _check_length(f"/{path.lstrip('/')}")
    return path


def _missing() -> MediaNotFound:
    return MediaNotFound(
        "There is no such file in the folders that this server reads (--media-root); "
        "check the name, or upload the clip."
    )


def _empty() -> MediaError:
    return MediaError("The clip is empty: it has no bytes.")
