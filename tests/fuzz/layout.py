"""Where the parts of a container are and where it says how long they are.

It reads mutated files too, so it believes no length and stops where one makes no sense.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

_BOXES = {
    **dict.fromkeys((b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"udta"), 0),
    **dict.fromkeys((b"dinf", b"mvex", b"moof", b"traf"), 0),
    **dict.fromkeys((b"stsd", b"dref"), 8),
    **dict.fromkeys((b"avc1", b"hev1", b"mp4v", b"jpeg"), 78),
    **dict.fromkeys((b"mp4a", b"Opus"), 28),
}
"""Boxes with boxes in them, and how many bytes stand in front of these."""

_MASTERS = {
    *("1a45dfa3", "18538067", "114d9b74", "4dbb", "1549a966", "1654ae6b", "ae", "e0", "e1"),
    *("1c53bb6b", "bb", "b7", "1f43b675", "a0", "1254c367"),
}
"""EBML elements with elements in them."""

_ZIP_LENGTHS = {
    b"PK\x03\x04": ((8, 2), (18, 4), (22, 4), (26, 2), (28, 2)),
    b"PK\x01\x02": ((10, 2), (20, 4), (24, 4), (28, 2), (30, 2), (32, 2), (42, 4)),
    b"PK\x05\x06": ((8, 2), (10, 2), (12, 4), (16, 4), (20, 2)),
}
"""Places and widths of the numbers in a zip file's records that a reader goes by."""


@dataclass(frozen=True)
class Part:
    """A stretch of a file with a number that says where it ends."""

    start: int
    end: int
    length_at: int
    length_bytes: int
    order: Literal["big", "little"] = "big"


def parts(data: bytes) -> list[Part]:
    """All parts of a file, those that hold others in front of them; none of a strange file."""
    if data[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free"):
        return list(_boxes(data, 0, len(data)))
    if data[:4] == b"\x1a\x45\xdf\xa3":
        return list(_elements(data, 0, len(data)))
    if data[:4] == b"RIFF":
        return list(_riff_chunks(data, 0, len(data)))
    if data[:4] == b"\x89PNG":
        return list(png_chunks(data))
    if data[:2] == b"\xff\xd8":
        return list(_segments(data))
    if data[:2] == b"PK":
        return list(_records(data))
    return []


def png_chunks(data: bytes) -> Iterator[Part]:
    """Chunks of a PNG, each with the checksum at its end."""
    start = 8
    while start + 12 <= len(data):
        end = start + 12 + int.from_bytes(data[start : start + 4])
        if end > len(data):
            return
        yield Part(start, end, start, 4)
        start = end


def _boxes(data: bytes, start: int, end: int) -> Iterator[Part]:
    """Of MP4 and MOV."""
    while start + 8 <= end:
        size, name = int.from_bytes(data[start : start + 4]), data[start + 4 : start + 8]
        stop = start + size
        if size < 8 or stop > end:
            return
        yield Part(start, stop, start, 4)
        if name in _BOXES:
            yield from _boxes(data, start + 8 + _BOXES[name], stop)
        start = stop


def _elements(data: bytes, start: int, end: int) -> Iterator[Part]:
    """Of Matroska and WebM."""
    while start + 2 <= end:
        size_at = start + _vint_bytes(data[start])
        if size_at >= end:
            return
        size_bytes = _vint_bytes(data[size_at])
        inside = size_at + size_bytes
        size = int.from_bytes(data[size_at:inside]) - (1 << 7 * size_bytes)
        is_open = size == (1 << 7 * size_bytes) - 1
        stop = end if is_open else inside + size
        if size < 0 or stop > end:
            return
        yield Part(start, stop, size_at, size_bytes)
        if data[start:size_at].hex() in _MASTERS:
            yield from _elements(data, inside, stop)
        start = stop


def _vint_bytes(first: int) -> int:
    return 9 - first.bit_length()


def _riff_chunks(data: bytes, start: int, end: int) -> Iterator[Part]:
    while start + 8 <= end:
        stop = start + 8 + int.from_bytes(data[start + 4 : start + 8], "little")
        if stop > end:
            return
        yield Part(start, stop, start + 4, 4, "little")
        if data[start : start + 4] in (b"RIFF", b"LIST"):
            yield from _riff_chunks(data, start + 12, stop)
        start = stop + stop % 2


def _segments(data: bytes) -> Iterator[Part]:
    """Of a JPEG, up to its picture."""
    start = 2
    while start + 4 <= len(data) and data[start] == 0xFF:
        end = start + 2 + int.from_bytes(data[start + 2 : start + 4])
        if end > len(data):
            return
        yield Part(start, end, start + 2, 2)
        start = end


def _records(data: bytes) -> Iterator[Part]:
    """Of a zip file: one for each number in them."""
    for mark, lengths in _ZIP_LENGTHS.items():
        start = data.find(mark)
        while start >= 0:
            end = data.find(b"PK", start + 4)
            end = len(data) if end < 0 else end
            for place, width in lengths:
                if start + place + width <= len(data):
                    yield Part(start, end, start + place, width, "little")
            start = data.find(mark, start + 4)
