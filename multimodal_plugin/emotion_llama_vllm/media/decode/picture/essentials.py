"""Reduces a PNG or JPEG to the parts that its pixels depend on, in one linear walk.

Decoders process everything in a file: thousands of scans of the picture, millions of segments,
compressed text, animations, further pictures after the first. The walk counts the parts that cost
time, so that such a file is refused before it is decoded, and leaves out the parts that a decoder
would only read and keep.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from emotion_llama_vllm.media import magic
from emotion_llama_vllm.media.errors import MediaError

_MAX_SCANS = 32
"""The maximum number of scans of a JPEG: a usual progressive one has 10, a careful one under 20."""
_MAX_SEGMENTS = 10_000
"""The maximum number of segments: a camera's JPEG has dozens, one with a depth map hundreds."""
_MAX_CHUNKS = 200_000
"""The maximum number of chunks: the largest allowed PNG in pieces of 512 bytes; usual are 8 KiB."""

_JPEG_SEGMENT = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
"""Matches the start of a segment: neither a stuffed byte nor a restart within the pixel data."""
_TEM, _SOI, _EOI, _SOS = 0x01, 0xD8, 0xD9, 0xDA
_METADATA = (*range(0xE0, 0xF0), 0xFE)
"""The markers of application segments and comments."""
_COLOUR = ((0xE0, b"JFIF\0"), (0xEE, b"Adobe"))
"""The metadata that tells a decoder how to read the colours."""
_EXIF = (0xE1, b"Exif\0\0")

_PNG_KEPT = (b"IHDR", b"PLTE", b"tRNS")
_CHUNK = struct.Struct(">I4s")


class Essentials(NamedTuple):
    """Holds a picture's file without its metadata, and its EXIF block."""

    data: bytes
    exif: bytes


def reduce(data: bytes) -> Essentials:
    """Return a PNG or JPEG file with only the parts that its pixels depend on.

    Raises:
        MediaError: it has no picture, or too many scans, segments or chunks.
    """
    return _reduce_png(data) if data.startswith(magic.PNG) else _reduce_jpeg(data)


def check_scans(jpeg: bytes) -> None:
    """Raise MediaError for a JPEG, or a frame of Motion JPEG, with too many scans.

    In the pixel data these two bytes mean nothing else; metadata may contain them by chance.
    """
    if jpeg.count(bytes((0xFF, _SOS))) > _MAX_SCANS:
        raise _too_much(f"{_MAX_SCANS} scans")


def _reduce_jpeg(data: bytes) -> Essentials:
    kept, exif, scans, picture = [data[:2]], b"", 0, 0
    for marker, start, end in _jpeg_segments(data):
        if marker == _SOS:
            scans += 1
            picture = picture or start
            if scans > _MAX_SCANS:
                raise _too_much(f"{_MAX_SCANS} scans")
        elif not picture and _starts(data, start, marker, _EXIF):
            exif = exif or data[start + 10 : end]
        elif not picture and (
            marker not in _METADATA or any(_starts(data, start, marker, s) for s in _COLOUR)
        ):
            kept.append(data[start:end])
    if not picture:
        raise MediaError("The picture is damaged: it ends before its pixels.")
    return Essentials(b"".join([*kept, data[picture:]]), exif)


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield the marker, the start and the end of each segment, as libjpeg reads them."""
    at = len(magic.JPEG) - 1
    for number in range(_MAX_SEGMENTS + 1):
        found = _JPEG_SEGMENT.search(data, at)
        if found is None or data[found.start() + 1] == _EOI:
            return
        if number == _MAX_SEGMENTS:
            raise _too_much(f"{_MAX_SEGMENTS} segments")
        start, marker = found.start(), data[found.start() + 1]
        at = start + 2
        if marker not in (_TEM, _SOI):
            at += max(2, int.from_bytes(data[at : at + 2], "big"))
        yield marker, start, at


def _starts(data: bytes, start: int, marker: int, kind: tuple[int, bytes]) -> bool:
    """Return whether the segment at `start` is metadata of this kind."""
    return marker == kind[0] and data.startswith(kind[1], start + 4)


def _reduce_png(data: bytes) -> Essentials:
    kept, exif = [magic.PNG], b""
    pixels: list[bytes] = []
    has_pixels_behind = True
    for kind, start, end in _png_chunks(data):
        if kind == b"IDAT":
            # Decoders take only consecutive chunks as the picture's data.
            if has_pixels_behind:
                pixels.append(data[start + 8 : end - 4])
            continue
        has_pixels_behind = not pixels
        if kind in _PNG_KEPT and has_pixels_behind:
            kept.append(data[start:end])
        elif kind == b"eXIf":
            exif = exif or data[start + 8 : end - 4]
    kept += [_png_chunk(b"IDAT", b"".join(pixels)), _png_chunk(b"IEND", b"")]
    return Essentials(b"".join(kept), exif)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield the name, the start and the end of each chunk, up to the last or the file's end."""
    at = len(magic.PNG)
    for _ in range(_MAX_CHUNKS):
        if at + _CHUNK.size > len(data):
            return
        length, kind = _CHUNK.unpack_from(data, at)
        end = at + _CHUNK.size + length + 4
        yield kind, at, end
        if kind == b"IEND":
            return
        at = end
    raise _too_much(f"{_MAX_CHUNKS} chunks")


def _png_chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(content, zlib.crc32(kind))
    return _CHUNK.pack(len(content), kind) + content + check.to_bytes(4, "big")


def _too_much(what: str) -> MediaError:
    return MediaError(f"The picture has over {what}; save it anew, as a usual PNG or JPEG.")
