"""Decodes a clip's bytes into a `Clip`: its first frame and its whole sound.

It uses PyAV instead of decord, which the original imports. decord2 3.4.0 was tried: it ends the
whole process on damaged files (about one mutated clip in fourteen), it is slower to the first
frame and no faster for frames spread over the clip, and its pixels are no closer to OpenCV's than
PyAV's, which equal them bit for bit.
"""

from collections.abc import Collection
from dataclasses import replace

from emotion_llama_vllm.media.clip import Clip
from emotion_llama_vllm.media.decode import npz
from emotion_llama_vllm.media.decode.container import open_container, packets
from emotion_llama_vllm.media.decode.no_picture import NoPicture, first_frame
from emotion_llama_vllm.media.decode.picture.pixels import FirstFrame, resize
from emotion_llama_vllm.media.decode.picture.still import decode_still, is_still
from emotion_llama_vllm.media.decode.sound.track import SoundTrack
from emotion_llama_vllm.media.decode.timeline import face_finder, record
from emotion_llama_vllm.media.decode.tracks import check_wanted
from emotion_llama_vllm.media.errors import MediaError
from emotion_llama_vllm.settings import MediaSettings


def decode(
    source: bytes,
    *,
    size: int | None = None,
    audio_track: int | None = None,
    face_rows: Collection[int] = (),
    settings: MediaSettings,
) -> Clip:
    """Return the first frame of `source` and its whole sound.

    The function, its arguments, its result and its errors can be pickled, so it runs in a worker
    process as well as in this one.

    Args:
        source: a video file (MP4, MOV, AVI, MKV, WebM), a PNG or JPEG (a clip of one frame without
            sound), a file of sound alone (WAV, MP3, M4A, OGG, FLAC, WebM), or an `.npz` container
            of any with features or face crops.
        size: side in pixels to which the frame is resized.
        audio_track: the index of the sound track; by default the one that a player plays.
        face_rows: the feature rows to be computed from face crops. Unless the source brings these
            rows or crops, the crops are made of some of its frames, in the same pass.
        settings: the limits.

    Raises:
        MediaError: the clip is not usable; the message gives the reason.
    """
    if npz.is_container(source):
        inside = npz.open_container(source, settings)
        missing = () if inside.face_crops is not None else npz.missing(inside.features, face_rows)
        clip = _decode_file(inside.video, size, audio_track, missing, settings)
        clip = replace(clip, features=inside.features)
        return clip if inside.face_crops is None else replace(clip, face_crops=inside.face_crops)
    return _decode_file(source, size, audio_track, face_rows, settings)


def warm_up(_: bytes, *, for_faces: bool) -> None:
    """Load what decoding needs, in a decode worker at its start.

    The first clip of a worker would wait 0.3 s for the imports of this module.
    """
    if for_faces:
        face_finder().warm_up()


def _decode_file(
    source: bytes,
    size: int | None,
    audio_track: int | None,
    face_rows: Collection[int],
    settings: MediaSettings,
) -> Clip:
    if face_rows:
        made = record(
            source, size=size, audio_track=audio_track, face_rows=face_rows, settings=settings
        )
        return made.cut().whole
    if not source:
        raise MediaError("The clip is empty: it has no bytes.")
    if is_still(source):
        check_wanted(audio_track, 0)
        return Clip(resize(decode_still(source), size), waveform=None)
    frame, sound = _read_once(source, audio_track, settings)
    return Clip(
        frame=resize(frame.rgb(), size),
        waveform=sound.waveform(frame.zero, source),
        frame_index=frame.index,
        frame_time=frame.seconds,
        video_track=frame.track,
        audio_track=sound.track,
    )


def _read_once(
    source: bytes, audio_track: int | None, settings: MediaSettings
) -> tuple[FirstFrame | NoPicture, SoundTrack]:
    """Read the file's packets once, for the frame and for the sound."""
    with open_container(source) as container:
        frame = first_frame(container)
        sound = SoundTrack(container, audio_track, max_seconds=settings.max_audio_seconds)
        for packet in packets(container, settings.max_timeline_seconds):
            if packet.stream is frame.stream and not frame.found:
                frame.feed(packet)
            elif packet.stream is sound.stream:
                sound.feed(packet)
            sound.see(packet)
            if frame.found and sound.stream is None:
                break
    return frame, sound
