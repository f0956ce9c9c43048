"""Pictures: the pixels that Pillow decodes, at a cost that the file's size bounds."""

import io
import re
import struct
import time
import zlib
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo

from devtools.media import picture
from emotion_llama_vllm.media import magic
from emotion_llama_vllm.media.decode.first_frame import decode
from emotion_llama_vllm.media.decode.picture.still import decode_still
from emotion_llama_vllm.media.decode.picture.still_colour import to_rgb
from emotion_llama_vllm.media.decode.timeline import record
from emotion_llama_vllm.media.errors import MediaError
from emotion_llama_vllm.settings import MediaSettings

SETTINGS = MediaSettings()
MANY = 20_000


def saved(image: Image.Image, form: str, **options: Any) -> bytes:
    data = io.BytesIO()
    image.save(data, form, **options)
    return data.getvalue()


def image(mode: str = "RGB") -> Image.Image:
    whole = Image.fromarray(picture(97, 61))
    return whole.convert("L").convert("I;16") if mode == "I;16" else whole.convert(mode)


def exif(orientation: int, **more: Any) -> Image.Exif:
    block = Image.Exif()
    block[0x0112] = orientation
    for tag, value in more.items():
        block[int(tag[1:])] = value
    return block


def _info() -> PngInfo:
    info = PngInfo()
    info.add_text("comment", "x" * 1000, zip=True)
    info.add_itxt("international", "ü" * 100)
    return info


def _palette() -> Image.Image:
    coloured = image().quantize(16)
    coloured.info["transparency"] = 3
    return coloured


USUAL: dict[str, bytes] = {
    **{f"png {mode}": saved(image(mode), "PNG") for mode in ("1", "L", "LA", "RGB", "RGBA")},
    "png I;16": saved(image("I;16"), "PNG"),
    "png palette": saved(_palette(), "PNG", transparency=3),
    "png with text and profile": saved(image(), "PNG", pnginfo=_info(), icc_profile=b"x" * 5000),
    "png turned": saved(image(), "PNG", exif=exif(6)),
    "png that moves": saved(image(), "PNG", save_all=True, append_images=[image(), image()]),
    **{f"jpeg {mode}": saved(image(mode), "JPEG") for mode in ("L", "RGB", "CMYK")},
    "jpeg progressive": saved(image(), "JPEG", progressive=True),
    "jpeg progressive, four colours": saved(image("CMYK"), "JPEG", progressive=True),
    "jpeg with restarts": saved(image(), "JPEG", restart_marker_blocks=1),
    "jpeg with its own colours": saved(image(), "JPEG", keep_rgb=True),
    "jpeg with a profile": saved(image(), "JPEG", icc_profile=bytes(200_000), comment=b"x" * 999),
    "jpeg with much about it": saved(image(), "JPEG", exif=exif(3, t270="x" * 60_000)),
    "several jpegs": saved(image(), "MPO", save_all=True, append_images=[image(), image()]),
    **{f"jpeg turned {n}": saved(image(), "JPEG", exif=exif(n)) for n in range(10)},
}


@pytest.mark.parametrize("name", USUAL)
def test_a_usual_pictures_pixels_are_those_that_pillow_decodes(name: str) -> None:
    with Image.open(io.BytesIO(USUAL[name])) as whole:
        expected = np.array(to_rgb(ImageOps.exif_transpose(whole)))
    np.testing.assert_array_equal(decode_still(USUAL[name]), expected)


def test_a_picture_without_its_palette_is_damaged() -> None:
    png = USUAL["png palette"]
    start = png.index(b"PLTE") - 4
    (length,) = struct.unpack_from(">I", png, start)
    with pytest.raises(MediaError, match="palette"):
        decode_still(png[:start] + png[start + 12 + length :])


def scans_of(jpeg: bytes, count: int) -> bytes:
    """Return a progressive JPEG with its last scan again and again."""
    starts = [found.start() for found in re.finditer(rb"\xff\xda", jpeg)]
    last = jpeg[starts[-1] : -2]
    return jpeg[:-2] + last * (count - len(starts)) + jpeg[-2:]


def behind_start(jpeg: bytes, more: bytes) -> bytes:
    return jpeg[:2] + more + jpeg[2:]


def chunk(kind: bytes, content: bytes = b"") -> bytes:
    check = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + check


def before_pixels(png: bytes, more: bytes) -> bytes:
    at = png.index(b"IDAT") - 4
    return png[:at] + more + png[at:]


def _many_exif_entries() -> bytes:
    """An EXIF block whose entries all name the same 60 kB."""
    entries = b"".join(struct.pack("<HHII", 1000 + n, 1, 60_000, 8) for n in range(4000))
    turned = struct.pack("<HHII", 0x0112, 3, 1, 6)
    block = b"II*\0" + struct.pack("<IH", 8, 4001) + turned + entries
    block = (block + bytes(60_100))[:65_000]
    return b"\xff\xe1" + struct.pack(">H", len(block) + 8) + b"Exif\0\0" + block


JPEG = saved(image("L"), "JPEG", progressive=True)
PNG = saved(image(), "PNG")


@cache
def endless_text() -> bytes:
    return zlib.compress(bytes(80_000_000))


REFUSED: dict[str, Callable[[], bytes]] = {
    "scans": lambda: scans_of(JPEG, MANY),
    "scans with other segments between": lambda: scans_of(JPEG, 40).replace(
        b"\xff\xda", b"\xff\xfe\x00\x04\xff\xd9\xff\xda"
    ),
    "application segments": lambda: behind_start(JPEG, b"\xff\xe5\x00\x02" * 2_000_000),
    "comments": lambda: behind_start(JPEG, b"\xff\xfe\x00\x02" * 2_000_000),
    "segments behind the first scan": lambda: JPEG[:-2] + b"\xff\xfe\x00\x02" * 2_000_000,
    "text chunks": lambda: before_pixels(PNG, chunk(b"tEXt", b"a\0b") * 1_000_000),
    "empty pixel chunks": lambda: before_pixels(PNG, chunk(b"IDAT") * 2_000_000),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_take_long_is_refused_by_its_bytes(name: str) -> None:
    data = REFUSED[name]()
    started = time.process_time()
    with pytest.raises(MediaError, match=r"over \d+ (scans|segments|chunks)") as caught:
        decode(data, settings=SETTINGS)
    assert time.process_time() - started < 5
    assert caught.value.status == 400


HARMLESS: dict[str, Callable[[], bytes]] = {
    "padding": lambda: behind_start(JPEG, b"\xff" * 8_000_000),
    "exif in many segments": lambda: behind_start(
        JPEG, (b"\xff\xe1\xff\xff" + b"Exif\0\0" + bytes(65_527)) * 300
    ),
    "resources of Photoshop": lambda: behind_start(
        JPEG,
        (b"\xff\xed\xff\xff" + b"Photoshop 3.0\0" + (b"8BIM" + bytes(8)) * 5460).ljust(65_537)
        * 200,
    ),
    "a profile of many parts": lambda: behind_start(
        JPEG, (b"\xff\xe2\xff\xff" + b"ICC_PROFILE\0" + bytes(65_521)) * 300
    ),
    "text that inflates": lambda: before_pixels(
        PNG, chunk(b"zTXt", b"a\0\0" + endless_text()) * 50
    ),
    "a profile that inflates": lambda: before_pixels(
        PNG, chunk(b"iCCP", b"a\0\0" + endless_text())
    ),
    "a huge chunk": lambda: before_pixels(PNG, chunk(b"prVt", bytes(60_000_000))),
    "frames of an animation": lambda: PNG[:-12] + chunk(b"fdAT", bytes(20)) * 100_000 + PNG[-12:],
}


@pytest.mark.parametrize("name", HARMLESS)
@pytest.mark.costly
def test_what_is_beside_the_picture_costs_nothing(name: str) -> None:
    data = HARMLESS[name]()
    started = time.process_time()
    frame = decode_still(data)
    assert time.process_time() - started < 5
    np.testing.assert_array_equal(frame, decode_still(PNG if data[:4] == PNG[:4] else JPEG))


def test_as_many_scans_are_taken_as_any_camera_writes() -> None:
    assert decode_still(scans_of(JPEG, 32)).shape == (61, 97, 3)
    with pytest.raises(MediaError, match="over 32 scans"):
        decode_still(scans_of(JPEG, 33))


def test_an_exif_block_is_read_for_its_orientation_alone() -> None:
    started = time.process_time()
    turned = decode_still(behind_start(JPEG, _many_exif_entries()))
    assert time.process_time() - started < 2
    np.testing.assert_array_equal(turned, np.rot90(decode_still(JPEG), -1))


DAMAGED: dict[str, bytes] = {
    "jpeg without scans": JPEG[: JPEG.index(b"\xff\xda")],
    "jpeg that is cut off": JPEG[: len(JPEG) // 2],
    "jpeg of its start": magic.JPEG,
    "segment longer than the file": JPEG[:2] + b"\xff\xe1\xff\xff" + JPEG[2:],
    "png without pixels": PNG[:33],
    "png that is cut off": PNG[:-500],
    "png of its start": magic.PNG,
    "chunk longer than the file": before_pixels(PNG, b"\xff\xff\xff\xfftEXt"),
    "pixels in two places": before_pixels(PNG, chunk(b"IDAT") + chunk(b"tEXt", b"a\0b")),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_picture_is_refused(name: str) -> None:
    with pytest.raises(MediaError, match="damaged"):
        decode_still(DAMAGED[name])


@pytest.mark.parametrize(
    "block", [b"", b"II*\0", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff"]
)
def test_a_damaged_exif_block_turns_nothing(block: bytes) -> None:
    segment = b"\xff\xe1" + struct.pack(">H", len(block) + 8) + b"Exif\0\0" + block
    np.testing.assert_array_equal(decode_still(behind_start(JPEG, segment)), decode_still(JPEG))


@pytest.mark.parametrize("form", ["avi", "matroska", "mov"])
def test_a_frame_of_motion_jpeg_has_no_more_scans_than_a_picture(form: str) -> None:
    started = time.process_time()
    for read in (decode, record):
        with pytest.raises(MediaError, match="over 32 scans"):
            read(_motion_jpeg(scans_of(JPEG, MANY), form), settings=SETTINGS)
    assert time.process_time() - started < 5
    assert decode(_motion_jpeg(JPEG, form), settings=SETTINGS).frame.shape == (61, 97, 3)


def _motion_jpeg(jpeg: bytes, form: str) -> bytes:
    sink = io.BytesIO()
    with av.open(sink, "w", format=form) as out:
        track = out.add_stream("mjpeg", rate=10)
        track.width, track.height, track.pix_fmt = 97, 61, "yuvj420p"
        track.encode(av.VideoFrame(97, 61, "yuvj420p"))  # or the muxer would not know its format
        for number in range(3):
            packet = av.Packet(jpeg)
            packet.stream, packet.time_base = track, Fraction(1, 10)
            packet.pts = packet.dts = number
            packet.is_keyframe = True
            out.mux(packet)
    return sink.getvalue()
