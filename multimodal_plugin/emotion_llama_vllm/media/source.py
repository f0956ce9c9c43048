"""Where a clip's bytes are, and reading them: a path, a file or data URL, an http(s) URL.

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

import httpx2
import pybase64

from emotion_llama_vllm.media.errors import (
    MediaError,
    MediaNotFound,
    MediaNotReadable,
    MediaTooLarge,
)
from emotion_llama_vllm.settings import MediaSettings

_MAX_REDIRECTS = 3
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class MediaReader:
    """Reads the bytes that a request names.

    Args:
        roots: folders whose files may be read.
        domains: `host` (ports 80 and 443) or `host:port`, from which may be fetched.
        settings: caps and deadline.
    """

    roots: Sequence[Path]
    domains: Sequence[str]
    settings: MediaSettings

    async def read(self, url: str) -> bytes:
        """Return the bytes behind `url`, off the event loop where reading blocks.

        Raises:
            MediaError: what `url` names cannot be had (400), is not there (404) or is too large
                (413).
        """
        if url.partition("://")[0].lower() in _DEFAULT_PORTS:
            return await self._fetch(url)
        return await asyncio.to_thread(self.read_local, url)

    def read_local(self, url: str) -> bytes:
        """The same for what needs no network: a data URL, a file URL or a path."""
        if url[:5].lower() == "data:":
            data = self._decode_data_url(url)
        else:
            data = self._read_file(_path_of(url))
        if not data:
            raise MediaError("The clip is empty: it has no bytes.")
        return data

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

    def _read_file(self, path: str) -> bytes:
        resolved = self._resolve(path)
        try:
            descriptor = os.open(resolved, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise MediaNotFound("There is no such file in the media roots.") from error
        except OSError as error:
            raise MediaNotReadable("The file cannot be opened by the server.") from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise MediaError("The path names no regular file; name a video file.")
        with os.fdopen(descriptor, "rb") as file:
            data = file.read(self.settings.max_media_bytes + 1)
        if len(data) > self.settings.max_media_bytes:
            raise self._too_large()
        return data

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

    async def _fetch(self, url: str) -> bytes:
        deadline = self.settings.media_fetch_seconds
        try:
            async with (
                asyncio.timeout(deadline),
                httpx2.AsyncClient(follow_redirects=False, trust_env=False) as client,
            ):
                for _ in range(_MAX_REDIRECTS + 1):
                    self._check_url(url)
                    async with client.stream("GET", url, timeout=deadline) as response:
                        if response.next_request is None:
                            return await self._read_response(response)
                        url = str(response.next_request.url)
        except TimeoutError as error:
            raise MediaError(f"Fetching the clip took over {deadline:g} s.") from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise MediaError("The clip's URL could not be fetched; check host and path.") from error
        raise MediaError(f"The clip's URL redirects over {_MAX_REDIRECTS} times.")

    def _check_url(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise MediaError("The clip's URL is not valid.") from error
        if parts.scheme not in _DEFAULT_PORTS or not host or parts.username or "\\" in url:
            raise MediaError("The clip's URL must read http(s)://host/path.")
        allowed = {domain.lower() for domain in self.domains}
        named = f"{host}:{port or _DEFAULT_PORTS[parts.scheme]}"
        if named in allowed or (host in allowed and port in (None, 80, 443)):
            return
        raise MediaError(
            f"This server does not fetch from {host!r}; "
            "its operator can allow a domain with --allowed-media-domains."
        )

    async def _read_response(self, response: httpx2.Response) -> bytes:
        if response.status_code != 200:
            raise MediaError(f"The clip's URL answered with status {response.status_code}.")
        data = bytearray()
        async for piece in response.aiter_bytes():
            data += piece
            if len(data) > self.settings.max_media_bytes:
                raise self._too_large()
        if not data:
            raise MediaError("The clip is empty: its URL has no bytes.")
        return bytes(data)

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
