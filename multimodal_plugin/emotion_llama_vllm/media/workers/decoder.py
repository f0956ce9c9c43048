"""Defines the decoder interface, and the decoder that runs in this process."""

from collections.abc import Callable, Collection
from functools import partial
from typing import Protocol, TypeVar

from emotion_llama_vllm.media.clip import Clip
from emotion_llama_vllm.media.clip_file import ClipFile
from emotion_llama_vllm.media.decode.first_frame import decode
from emotion_llama_vllm.media.errors import shortage
from emotion_llama_vllm.media.read.threads import decoders, files
from emotion_llama_vllm.settings import media_settings
from emotion_llama_vllm.telemetry import stage


class Decoded(Protocol):
    """Represents the result of decoding a file."""

    @property
    def nbytes(self) -> int:
        """Return the size of the arrays in bytes."""
        ...


_T = TypeVar("_T")
_D = TypeVar("_D", bound=Decoded)


class Decoder(Protocol):
    """Runs a job, such as `decode` or `record`, on the bytes of a clip."""

    @property
    def size(self) -> int | None:
        """Return the side in pixels to which jobs should resize frames, to return fewer bytes."""
        ...

    async def run(self, job: Callable[[bytes], _D], clip: ClipFile) -> _D:
        """Return the result of the job.

        Raises:
            MediaError: the job raised it, or decoding took too long (504) or too much memory, or
                ended its process (400).
        """
        ...


class InProcess:
    """Decodes trusted clips in a thread of this process."""

    size = None

    async def run(self, job: Callable[[bytes], _T], clip: ClipFile) -> _T:
        with stage("decode"):
            try:
                data = await files.run(clip.read)
                return await decoders.run(lambda: job(data))
            except (OSError, MemoryError, RuntimeError) as error:
                if (busy := shortage(error)) is None:
                    raise
                raise busy from error


async def decode_clip(clip: ClipFile) -> Clip:
    """Return the first frame and the whole sound of a clip, decoded as for this process's requests.

    Raises:
        MediaError: as from `Decoder.run`.
    """
    more = {"face_rows": _face_rows} if _face_rows else {}
    job = partial(decode, size=_used.size, settings=media_settings(), **more)
    return await _used.run(job, clip)


_used: Decoder = InProcess()
_face_rows: tuple[int, ...] = ()


def current() -> Decoder:
    """Return the decoder that this process uses for vLLM's requests."""
    return _used


def use(decoder: Decoder, face_rows: Collection[int] = ()) -> None:
    """Set the decoder of this process; vLLM creates its connectors itself, so they read this.

    Args:
        decoder: runs all jobs.
        face_rows: the feature rows that the checkpoint computes from face crops.
    """
    global _used, _face_rows
    _used, _face_rows = decoder, tuple(face_rows)
