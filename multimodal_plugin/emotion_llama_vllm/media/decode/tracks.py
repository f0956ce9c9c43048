"""Chooses the tracks of a file that a player plays by default."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from emotion_llama_vllm.media.decode.container import check_codec
from emotion_llama_vllm.media.errors import MediaError, TrackError

_S = TypeVar("_S", VideoStream, AudioStream)


@dataclass(frozen=True)
class Track:
    """Describes the chosen track among the picture tracks or the sound tracks of a file."""

    index: int
    """The index of the track among the tracks of its kind, from 0."""
    language: str | None
    """The track's language in the file, usually in three letters."""
    codec: str
    count: int
    """The number of tracks of this kind."""


def has_picture(container: InputContainer) -> bool:
    """Return whether a file is more than sound alone; a cover picture beside it does not count."""
    return bool(_pictures(container)) or not container.streams.audio


def open_video_track(container: InputContainer) -> tuple[VideoStream, Track]:
    """Return the picture track that a player shows, ready to be decoded in this thread.

    Raises:
        MediaError: there is no picture track, or its codec is not allowed.
    """
    streams = _pictures(container)
    chosen = _default(streams)
    if chosen is None:
        raise MediaError(
            "The file has no picture that can be decoded; a clip needs at least a frame."
        )
    return chosen, _open(streams, chosen)


def open_audio_track(
    container: InputContainer, wanted: int | None
) -> tuple[AudioStream | None, Track | None]:
    """Return the sound track that a player plays, or the wanted one, ready to be decoded.

    Raises:
        MediaError: the track's codec is not allowed.
        TrackError: the file has no such track.
    """
    streams = container.streams.audio
    check_wanted(wanted, len(streams))
    chosen = _default(streams) if wanted is None else streams[wanted]
    if chosen is None and not streams:
        return None, None
    if chosen is None or not chosen.codec_context:
        raise MediaError("The clip's sound is in a codec that cannot be decoded; re-encode it.")
    return chosen, _open(streams, chosen)


def check_wanted(wanted: int | None, count: int) -> None:
    """Raise TrackError if a file with so many sound tracks lacks the wanted one."""
    if wanted is None or wanted < count:
        return
    if count == 0:
        raise TrackError("The clip has no sound track; leave `audio_track` out.")
    raise TrackError(f"The clip has no sound track {wanted}; it has {count}, counted from 0.")


def _pictures(container: InputContainer) -> list[VideoStream]:
    """Return the picture tracks without the cover pictures, which are no video."""
    return [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic
    ]


def _default(streams: Sequence[_S]) -> _S | None:
    """Return the first stream that is flagged as the default, or else the first one."""
    # A codec that FFmpeg does not know has no context.
    known = [stream for stream in streams if stream.codec_context]
    flagged = [stream for stream in known if stream.disposition & Disposition.default]
    return next(iter(flagged or known), None)


def _open(streams: Sequence[_S], chosen: _S) -> Track:
    context = chosen.codec_context
    check_codec(context)
    context.thread_count = 1
    language = chosen.language if chosen.language != "und" else None
    place = [stream.index for stream in streams].index(chosen.index)
    return Track(place, language, context.codec.canonical_name, len(streams))
