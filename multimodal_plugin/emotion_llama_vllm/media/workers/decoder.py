"""Where clips are decoded: in this process, or in worker processes for strangers' clips."""

from collections.abc import Callable
from functools import partial
from typing import Protocol, TypeVar

from emotion_llama_vllm import metrics
from emotion_llama_vllm.media.clip import Clip
from emotion_llama_vllm.media.clip_file import ClipFile
from emotion_llama_vllm.media.decode.first_frame import decode
from emotion_llama_vllm.media.errors import shortage
from emotion_llama_vllm.media.read.threads import decoders, files
from emotion_llama_vllm.settings import media_settings


class Decoded(Protocol):
    """What decoding makes of a file."""

    @property
    def nbytes(self) -> int:
        """Of its arrays."""
        ...


_T = TypeVar("_T")
_D = TypeVar("_D", bound=Decoded)


class Decoder(Protocol):
    """Runs a job, as `decode` and `record` are some, on the bytes of a clip."""

    @property
    def size(self) -> int | None:
        """Side in pixels to which jobs should resize frames, so that fewer bytes come back."""
        ...

    async def run(self, job: Callable[[bytes], _D], clip: ClipFile) -> _D:
        """Return what the job returns.

        Raises:
            MediaError: the job's own, or decoding took too long (504) or too much memory, or
                ended its process (400).
        """
        ...


class InProcess:
    """Decodes in a thread of this process, for clips that are trusted."""

    size = None

    async def run(self, job: Callable[[bytes], _T], clip: ClipFile) -> _T:
        with metrics.decode_seconds.time():
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
    job = partial(decode, size=_used.size, settings=media_settings())
    return await _used.run(job, clip)


_used: Decoder = InProcess()


def current() -> Decoder:
    """What vLLM's requests are decoded with in this process."""
    return _used


def use(decoder: Decoder) -> None:
    """Decode with this one from now on: vLLM makes its connectors itself, without a choice."""
    global _used
    _used = decoder
