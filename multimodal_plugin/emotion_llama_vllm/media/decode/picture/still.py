"""Decodes a PNG or JPEG, which is a clip of one frame."""

import io
import struct

import numpy as np
import numpy.typing as npt
from PIL import Image

from emotion_llama_vllm.media import magic
from emotion_llama_vllm.media.decode.picture import essentials
from emotion_llama_vllm.media.decode.picture.pixels import check_size
from emotion_llama_vllm.media.decode.picture.still_colour import to_rgb
from emotion_llama_vllm.media.errors import MediaError

_ORIENTATION = 0x0112
_SINGLE = {1: "B", 3: "H", 4: "I"}
"""The types of single numbers that an EXIF entry can hold in itself, as `struct` names them."""
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""The transposition for each EXIF orientation except the upright one."""


def is_still(data: bytes) -> bool:
    """Return whether these are the bytes of a PNG or JPEG."""
    return data.startswith((magic.PNG, magic.JPEG))


def decode_still(data: bytes) -> npt.NDArray[np.uint8]:
    """Return a PNG or JPEG as a viewer shows it: RGB [height, width, 3], turned as its EXIF says.

    Raises:
        MediaError: it is damaged, or takes more than a usual picture to decode.
    """
    reduced = essentials.reduce(data)
    try:
        with Image.open(io.BytesIO(reduced.data), formats=("PNG", "JPEG")) as image:
            check_size(*image.size)
            turn = _UPRIGHT.get(_orientation(reduced.exif))
            shown = to_rgb(image)
            return np.array(shown if turn is None else shown.transpose(turn))
    except MediaError:
        raise
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise MediaError("The picture is damaged: it cannot be decoded.") from error


def _orientation(exif: bytes) -> int:
    """Read only the orientation from an EXIF block; return 1 if there is none.

    Pillow would read the whole block, and its entries may name the same bytes thousands of times.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return 1
    try:
        (directory,) = struct.unpack_from(f"{order}I", exif, 4)
        (entries,) = struct.unpack_from(f"{order}H", exif, directory)
        for number in range(entries):
            at = directory + 2 + 12 * number
            tag, kind, count = struct.unpack_from(f"{order}HHI", exif, at)
            if tag == _ORIENTATION and count == 1 and kind in _SINGLE:
                return struct.unpack_from(order + _SINGLE[kind], exif, at + 8)[0]
    except struct.error:  # the block ends before that
        pass
    return 1
