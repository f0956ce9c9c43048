"""Sends a sound to a transcription service, in limited time and with a limited reply.

The sound goes to the address that the operator names and to no other: no redirect is followed, and
a proxy of the environment is used only where the operator allows it for clips, too.
"""

import asyncio
import ssl
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Self

import httpx2
from pydantic import ValidationError

from emotion_llama.connection import Connection, base_url
from emotion_llama.errors import InvalidSettings
from emotion_llama_server.settings import ServerSettings
from emotion_llama_server.shortening import shortened
from emotion_llama_server.transcripts.errors import TranscriptionError
from emotion_llama_server.transcripts.heard import Heard
from emotion_llama_server.transcripts.reply import read_reply
from emotion_llama_vllm.settings import MediaSettings

MAX_BYTES = 1 << 20
"""The maximum size of a reply in bytes; one about ten minutes of speech has about 200 KB."""
PAUSE = 0.5
"""The seconds before the one further attempt."""
_ROUTES = ("/audio/translations", "/audio/transcriptions")
"""The ends of an address that names a route itself; the first is the default."""
_SHOWN = 200
"""The number of bytes of an error's body that the log shows."""


class TranscriberSettingsError(ValueError):
    """Reports settings of the transcription service that cannot be used."""


@cache
def _authorities() -> ssl.SSLContext:
    """Return the trusted certificates, which take 20 ms to load."""
    return httpx2.create_ssl_context()


@dataclass(frozen=True)
class Service:
    """Represents a transcription service in OpenAI's form.

    Args:
        url: the address of its route.
        model: the name of its model.
        key: its API key; None if it needs none.
        proxy: the proxy on the way to it.
        transport: replaces the network in tests.
    """

    url: str
    model: str
    key: str | None = field(default=None, repr=False)
    proxy: httpx2.Proxy | None = None
    transport: httpx2.AsyncBaseTransport | None = None

    @classmethod
    def of(cls, settings: ServerSettings, media: MediaSettings) -> Self | None:
        """Return the service that the operator names, or None.

        Raises:
            TranscriberSettingsError: the key's file or the proxy cannot be used.
        """
        if settings.transcriber_url is None:
            return None
        url = settings.transcriber_url.rstrip("/")
        url = url if url.endswith(_ROUTES) else url + _ROUTES[0]
        try:
            base_url(url)  # what it takes, the HTTP client takes too
            proxy = Connection.to(url).proxy if media.media_trust_env else None
        except InvalidSettings as error:
            raise TranscriberSettingsError(f"--transcriber-url: {error}") from error
        file = settings.transcriber_key_file
        key = None if file is None else _read_key(file)
        return cls(url, settings.transcriber_model, key, proxy)

    async def hear(self, wav: bytes, *, seconds: float, with_times: bool) -> Heard:
        """Return the words in a sound; a failure that may pass is followed by one more attempt.

        Args:
            wav: the file.
            seconds: the length of the sound.
            with_times: whether the times of the words are needed, which some models cannot tell.

        Raises:
            TranscriptionError: the service cannot be reached, or answers something else.
        """
        try:
            return await self._ask(wav, seconds, with_times)
        except TranscriptionError as error:
            if not error.may_pass:
                raise
        await asyncio.sleep(PAUSE)
        return await self._ask(wav, seconds, with_times)

    async def _ask(self, wav: bytes, seconds: float, with_times: bool) -> Heard:
        try:
            body = await self._send(wav, "verbose_json" if with_times else "json")
        except (httpx2.HTTPError, OSError) as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(": ")
            raise TranscriptionError(
                "The transcription service cannot be reached.", "connection", reason, may_pass=True
            ) from error
        try:
            return await asyncio.to_thread(read_reply, body, seconds)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"])) or "the body"
            raise _unreadable(f"{where}: {first['msg']}") from error

    async def _send(self, wav: bytes, form: str) -> bytes:
        """Send the sound and return the body of the reply."""
        fields = {"model": self.model, "response_format": form}
        file = {"file": ("clip.wav", wav, "audio/wav")}
        # Its connection ends with each reply: none is idle when the service closes it.
        async with (
            self._client() as client,
            client.stream("POST", self.url, data=fields, files=file) as response,
        ):
            body = await _read(response)
        if response.status_code != httpx2.codes.OK:
            raise _status(response.status_code, bytes(body[:_SHOWN]))
        if len(body) > MAX_BYTES:
            raise _unreadable(f"it has over {MAX_BYTES >> 10} KiB")
        return bytes(body)

    def _client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            proxy=self.proxy,
            transport=self.transport,
            trust_env=False,  # neither a proxy nor a password of ~/.netrc
            verify=_authorities() if self.url.lower().startswith("https:") else _no_tls(),
            headers=self._headers,
            timeout=None,  # the caller's deadline bounds everything
        )

    @cached_property
    def _headers(self) -> dict[str, str]:
        headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "emotion-llama-server",
        }
        return headers if self.key is None else {**headers, "Authorization": f"Bearer {self.key}"}


async def _read(response: httpx2.Response) -> bytearray:
    """Return the body of a reply, or the beginning of one that is too large or an error."""
    body = bytearray()
    async with aclosing(response.aiter_raw()) as parts:
        async for part in parts:
            body += part
            if len(body) > MAX_BYTES or response.status_code != httpx2.codes.OK:
                break
    return body


@cache
def _no_tls() -> ssl.SSLContext:
    """Return a context that trusts nobody, for addresses without TLS."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _read_key(path: Path) -> str:
    """Return the key in a file, which has one line."""
    try:
        key = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        words = f"--transcriber-key-file: {path} cannot be read ({type(error).__name__})"
        raise TranscriberSettingsError(f"{words}.") from error
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise TranscriberSettingsError(
            f"--transcriber-key-file: {path} must hold the key alone, on one line."
        )
    return key


def _status(status: int, body: bytes) -> TranscriptionError:
    may_pass = status == httpx2.codes.TOO_MANY_REQUESTS or status >= 500
    reason = f"it answers with status {status}: {shortened(repr(body))}"
    words = f"The transcription service answers with status {status}."
    return TranscriptionError(words, "status", reason, may_pass=may_pass)


def _unreadable(reason: str) -> TranscriptionError:
    words = "The transcription service sends no transcript in OpenAI's form."
    return TranscriptionError(words, "answer", f"its reply cannot be read ({shortened(reason)})")
