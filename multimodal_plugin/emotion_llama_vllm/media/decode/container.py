"""Opens video and audio files of the allowed containers, and lets FFmpeg open nothing else."""

import io
from collections.abc import Iterator
from contextlib import contextmanager

import av
import av.logging as av_logging
from av import CodecContext, Packet
from av.container import Flags, InputContainer
from av.error import FFmpegError

from emotion_llama_vllm.media import magic
from emotion_llama_vllm.media.decode.picture.essentials import check_scans
from emotion_llama_vllm.media.errors import MediaError

_VIDEO = (
    *("h264", "hevc", "vp8", "vp9", "libdav1d", "av1"),
    *("mpeg4", "mpeg1video", "mpeg2video", "mjpeg"),
)
_AUDIO = (
    *("aac", "mp3", "mp3float", "opus", "libopus", "vorbis", "flac", "ac3"),
    *("eac3", "mp2", "mp2float", "alac", "amrnb", "amrwb"),  # cameras and phones write these
    *("adpcm_ms", "adpcm_ima_wav", "adpcm_ima_qt", "pcm_alaw", "pcm_mulaw", "pcm_u8", "pcm_s8"),
    *(f"pcm_{kind}{end}" for kind in ("s16", "s24", "s32", "f32", "f64") for end in ("le", "be")),
)
CODECS = frozenset(_VIDEO + _AUDIO)
"""The allowed decoders. FFmpeg has hundreds, and its worst bugs are in those that nobody uses."""

_OPTIONS = {
    # Playlists, concat scripts and SDP texts would make FFmpeg open other files or hosts.
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,wav,mp3,ogg,flac",
    "protocol_whitelist": "none",
    # FFmpeg decodes a little during the open already, to detect the streams.
    "codec_whitelist": ",".join(sorted(CODECS)),
}

MAX_PACKETS = 500_000
"""The maximum number of packets, more than an hour of picture and sound has; they take a second."""

_UNKNOWN_SIZE = b"\xff" * 4
"""The size in a file whose writer could not seek back, such as FFmpeg's into a pipe."""

av_logging.set_level(None)


@contextmanager
def open_container(data: bytes) -> Iterator[InputContainer]:
    """Open the bytes of a video or audio file for reading its packets inside the `with` block.

    Raises:
        MediaError: the container is not supported, or it is damaged.
    """
    _check_riff_size(data)
    try:
        container = av.open(io.BytesIO(data), mode="r", options=_OPTIONS, metadata_errors="replace")
    except (FFmpegError, ValueError, OSError) as error:
        raise MediaError(
            "The file is no video that can be read: send an intact MP4, MOV, AVI, MKV or WebM, "
            "a PNG or JPEG, or for sound alone a WAV, MP3, M4A, OGG or FLAC."
        ) from error
    # PyAV's default invents presentation times, and for AVI wrong ones.
    container.flags &= ~Flags.gen_pts.value
    with container:
        try:
            yield container
        except FFmpegError as error:
            raise MediaError("The file is damaged: it cannot be read to its end.") from error


def packets(container: InputContainer, max_seconds: float) -> Iterator[Packet]:
    """Yield a file's packets in the order of the file.

    Raises:
        MediaError: the file claims to last longer than `max_seconds`, it has too many packets, or
            one packet is a JPEG that takes too long to decode.
    """
    declared = declared_seconds(container)
    if declared is not None and declared > max_seconds:
        raise MediaError(
            f"The clip lasts {declared:.0f} s; at most {max_seconds:g} s are "
            "allowed. Cut it into shorter ones."
        )
    jpegs = {s.index for s in container.streams.video if s.codec_context and s.name == "mjpeg"}
    for number, packet in enumerate(container.demux()):
        if number == MAX_PACKETS:
            raise MediaError("The clip has too many packets; cut it into shorter ones.")
        if packet.stream_index in jpegs:
            check_scans(bytes(packet))
        yield packet


def declared_seconds(container: InputContainer) -> float | None:
    """Return the length in seconds that a file names, or None if it names none.

    For an MP3 the length is FFmpeg's guess from the first bit rate: 149 s for a minute that begins
    with silence.
    """
    if container.duration is None or container.format.name == "mp3":
        return None
    return container.duration / 1e6


def check_codec(context: CodecContext) -> None:
    """Raise MediaError unless this decoder is allowed."""
    if context.name not in CODECS:
        raise MediaError(
            f"The clip is in a codec that is not supported ({context.name}); re-encode it as H.264 "
            "with AAC."
        )


def _check_riff_size(data: bytes) -> None:
    """Raise MediaError for a cut-off AVI or WAV, which FFmpeg would read as a shorter one."""
    if not data.startswith(magic.RIFF) or data[4:8] == _UNKNOWN_SIZE:
        return
    if int.from_bytes(data[4:8], "little") + 8 > len(data):
        raise MediaError("The file is cut off: it is shorter than its header says.")
