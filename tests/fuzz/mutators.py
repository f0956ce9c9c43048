"""Damages clips, the same way for the same seed and index.

Some damage knows nothing of what it meets; some finds the container's own numbers and parts, as
the worst files are those that are nearly intact.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath
from random import Random

from tests.fuzz.corpus import corpus
from tests.fuzz.layout import Part, parts, png_chunks

Mutator = Callable[[Random, bytes], bytes]

_MOST = 1 << 20
"""Bytes that a mutated clip may have."""


@dataclass(frozen=True)
class Mutant:
    """A damaged clip."""

    name: str
    """As of a file, with the container's own suffix."""
    history: str
    """Of what and how it was made."""
    data: bytes


def mutant(seed: int, index: int) -> Mutant:
    """Make clip number `index` of a seed: every intact clip has its turn."""
    random = Random(f"{seed}/{index}")
    intact = corpus()[index % len(corpus())]
    data, names = intact.data, []
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, 5))):
        name = random.choices(list(MUTATORS), _WEIGHTS)[0]
        names.append(name)
        data = MUTATORS[name](random, data)[:_MOST] or b"\x00"
    history = f"{intact.name}: {', '.join(names)}"
    return Mutant(f"{seed}-{index}{PurePath(intact.name).suffix}", history, data)


def mutant_features(seed: int, index: int) -> bytes:
    """Make a damaged `.npy` file of pre-extracted features."""
    random = Random(f"features/{seed}/{index}")
    if random.random() < 0.5:
        return _strange_npy(random)
    mutator = MUTATORS[random.choices(list(MUTATORS), _WEIGHTS)[0]]
    return mutator(random, _npy(bytes(3 * 128 * 4), "<f4", (3, 128)))


def flip_bits(random: Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(2 ** random.randint(0, 7)):
        changed[_place(random, data)] ^= 1 << random.randrange(8)
    return bytes(changed)


def fill_run(random: Random, data: bytes) -> bytes:
    """Overwrite a run with zeros, ones or noise."""
    start, end = _stretch(random, data)
    filling = random.choice((bytes(1), b"\xff", random.randbytes(end - start)))
    return data[:start] + (filling * (end - start))[: end - start] + data[end:]


def delete_block(random: Random, data: bytes) -> bytes:
    start, end = _stretch(random, data)
    return data[:start] + data[end:]


def duplicate_block(random: Random, data: bytes) -> bytes:
    start, end = _stretch(random, data)
    return data[:start] + data[start:end] * random.choice((2, 2, 3, 50)) + data[end:]


def swap_blocks(random: Random, data: bytes) -> bytes:
    a, b, c, d = sorted((*_stretch(random, data), *_stretch(random, data)))
    return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]


def truncate(random: Random, data: bytes) -> bytes:
    return data[: _place(random, data)]


def splice(random: Random, data: bytes) -> bytes:
    """The beginning of this clip and the end of another."""
    other = random.choice(corpus()).data
    return data[: _place(random, data)] + other[_place(random, other) :]


def junk_in_front(random: Random, data: bytes) -> bytes:
    return _junk(random) + data


def junk_behind(random: Random, data: bytes) -> bytes:
    return data + _junk(random)


def extreme_number(random: Random, data: bytes) -> bytes:
    """Any place may hold a size, a count, a rate or a time."""
    width, at = random.choice((1, 2, 4, 8)), _place(random, data)
    return data[:at] + _extreme(random, data[at : at + width]) + data[at + width :]


def extreme_length(random: Random, data: bytes) -> bytes:
    """Have a part of the container say that it is of another length."""
    if (part := _part(random, data)) is None:
        return extreme_number(random, data)
    at, end = part.length_at, part.length_at + part.length_bytes
    length = _extreme(random, data[at:end], part.order)
    return _checksummed(data[:at] + length + data[end:])


def extreme_field(random: Random, data: bytes) -> bytes:
    """Write an extreme number near a part's beginning, where its other fields are."""
    if (part := _part(random, data)) is None:
        return extreme_number(random, data)
    at = min(part.length_at + random.randrange(32), part.end - 1)
    width = random.choice((1, 2, 4, 4, 8))
    number = _extreme(random, data[at : at + width])
    return _checksummed(data[:at] + number + data[at + width :])


def delete_part(random: Random, data: bytes) -> bytes:
    part = _part(random, data)
    return data[: part.start] + data[part.end :] if part else delete_block(random, data)


def repeat_part(random: Random, data: bytes) -> bytes:
    if (part := _part(random, data)) is None:
        return duplicate_block(random, data)
    times = random.choice((1, 1, 30, 1000))
    return data[: part.end] + data[part.start : part.end] * times + data[part.end :]


def move_part(random: Random, data: bytes) -> bytes:
    """Put a part in front of another, or into it."""
    moved, target = _part(random, data), _part(random, data)
    if moved is None or target is None:
        return swap_blocks(random, data)
    at = random.choice((target.start, target.length_at + target.length_bytes))
    return data[:at] + data[moved.start : moved.end] + data[at:]


def rename_part(random: Random, data: bytes) -> bytes:
    """Give a part the name of another: its content is then read as something else."""
    renamed, other = _part(random, data), _part(random, data)
    if renamed is None or other is None:
        return flip_bits(random, data)
    names = []
    for part in (renamed, other):
        # A name stands in front of the length, in a box and a PNG's chunk behind it.
        is_in_front = part.length_at > part.start
        start = part.start if is_in_front else part.length_at + part.length_bytes
        names.append((start, part.length_at if is_in_front else start + 4))
    (start, end), (other_start, other_end) = names
    return _checksummed(data[:start] + data[other_start:other_end] + data[end:])


def other_text(random: Random, data: bytes) -> bytes:
    """A text that some programs follow to other files and hosts, in place of the clip."""
    text = random.choice(TEXTS)
    return random.choice((text, text + data, data[:12] + text, text * 100))


def strange_npz(random: Random, data: bytes) -> bytes:
    """A zip file whose members are intact, but not what they are to be."""
    video = random.choice(corpus()).data if random.random() < 0.5 else data
    members = {"video.npy": _npy(video), "features.npy": _npy(bytes(3 * 128 * 4), "<f4", (3, 128))}
    name = random.choice(("video.npy", "features.npy", "features.npy", "x.npy", "../video.npy", ""))
    members[name] = random.choice((_strange_npy(random), video, b""))
    methods = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", random.choice(methods)) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, archive.compression)
    archived = file.getvalue()
    return archived if random.random() < 0.5 else extreme_length(random, archived)


def strange_npy(random: Random, data: bytes) -> bytes:
    """An array of another type and shape, some with a damaged header."""
    kind = random.choice(("<f4", "|u1", "|O", "<U8", "<M8[s]", "|V4", ">f4", "<c8", "<f8", "{}"))
    counts = (-1, 0, 3, 128, 2**31, 2**63, 10**30)
    shape = tuple(random.choice(counts) for _ in range(random.randrange(4)))
    strange = _npy(random.randbytes(1536), kind, shape)
    damage = random.choice((flip_bits, fill_run, delete_block, extreme_number))
    return strange if random.random() < 0.5 else damage(random, strange[:90]) + strange[90:]


MUTATORS: dict[str, Mutator] = {
    mutator.__name__: mutator
    for mutator in (
        flip_bits,
        fill_run,
        delete_block,
        duplicate_block,
        swap_blocks,
        truncate,
        splice,
        junk_in_front,
        junk_behind,
        extreme_number,
        extreme_length,
        extreme_field,
        delete_part,
        repeat_part,
        move_part,
        rename_part,
        other_text,
        strange_npz,
        strange_npy,
    )
}
_RARE = {"junk_in_front", "swap_blocks", "truncate", "other_text", "strange_npz", "strange_npy"}
_WEIGHTS = [1 if name in _RARE else 3 for name in MUTATORS]

TEXTS = (
    b"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    b"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n",
    b"#EXTM3U\n#EXTINF:1,\nconcat:file:///etc/hostname|subfile,,start,0,end,9,,:/etc/passwd\n",
    b"ffconcat version 1.0\nfile /etc/passwd\nduration 1\nfile 'http://127.0.0.1:9/x.mp4'\n",
    b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n"
    b"a=rtpmap:96 H264/90000\n",
    b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period>'
    b"<AdaptationSet><Representation><BaseURL>file:///etc/passwd</BaseURL></Representation>"
    b"</AdaptationSet></Period></MPD>",
    b'<!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg">'
    b'<image href="file:///etc/passwd"/><text>&y;</text></svg>',
    b"[playlist]\nFile1=/etc/passwd\nNumberOfEntries=1\nVersion=2\n",
    b'<smil><body><video src="file:///etc/passwd"/></body></smil>',
    b"1\n00:00:00,000 --> 00:00:09,000\n<img src=file:///etc/passwd>\n",
    b";FFMETADATA1\ntitle=x\n[CHAPTER]\nTIMEBASE=1/0\nSTART=0\nEND=9\n",
    b"#!/bin/sh\ncat /etc/passwd\n",
)
"""Playlists, scripts and descriptions of streams."""


def _place(random: Random, data: bytes) -> int:
    """Any place, but more often near the beginning or the end, where headers are."""
    near = min(len(data), 1024)
    return random.choice(
        (
            random.randrange(len(data)),
            random.randrange(len(data)),
            random.randrange(near),
            len(data) - 1 - random.randrange(near),
        )
    )


def _stretch(random: Random, data: bytes) -> tuple[int, int]:
    start = _place(random, data)
    return start, min(len(data), start + 2 ** random.randint(0, 12))


def _part(random: Random, data: bytes) -> Part | None:
    found = parts(data)
    return random.choice(found) if found else None


def _junk(random: Random) -> bytes:
    size = 2 ** random.randint(0, 14)
    return random.choice((bytes(size), random.randbytes(size), random.choice(TEXTS)))


def _extreme(random: Random, number: bytes, order: str = "big") -> bytes:
    """Another number of the same width: at one of its limits, or beside what it was."""
    bits = 8 * len(number)
    was = int.from_bytes(number, "big" if order == "big" else "little")
    extremes = (0, 1, 7, 8, 2**bits - 1, 2**bits - 2, 2**bits // 2, 2**bits // 2 - 1, 2**bits // 4)
    near = (was + 1, was - 1, was * 2, was // 2, random.getrandbits(bits or 1))
    value = random.choice((*extremes, *near)) % 2**bits
    return value.to_bytes(len(number), "big" if order == "big" else "little")


def _checksummed(data: bytes) -> bytes:
    """With a PNG's checksums made right again, or a reader would look no further."""
    if data[:4] != b"\x89PNG":
        return data
    changed = bytearray(data)
    for chunk in png_chunks(data):
        checksum = zlib.crc32(data[chunk.start + 4 : chunk.end - 4])
        changed[chunk.end - 4 : chunk.end] = struct.pack(">I", checksum)
    return bytes(changed)


def _strange_npy(random: Random) -> bytes:
    """An array of another type or shape, or with a damaged header."""
    kind = random.choice(("<f4", "|u1", "|O", "<U8", "<M8[s]", "|V4", ">f4", "<c8", "<f8", "{}"))
    counts = (-1, 0, 3, 128, 2**31, 2**63, 10**30)
    shape = tuple(random.choice(counts) for _ in range(random.randrange(4)))
    strange = _npy(random.randbytes(1536), kind, shape)
    damage = random.choice((flip_bits, fill_run, delete_block, extreme_number))
    return strange if random.random() < 0.5 else damage(random, strange[:80]) + strange[80:]


def _npy(content: bytes, kind: str = "|u1", shape: tuple[int, ...] | None = None) -> bytes:
    shape = (len(content),) if shape is None else shape
    header = f"{{'descr': {kind!r}, 'fortran_order': False, 'shape': {shape!r}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + content
