"""Packs a clip together with crops of its face into the `.npz` container that servers read."""

import io
import zipfile
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any

SIDE = 112
"""The side of a crop in pixels."""
ENDINGS = (".bmp", ".png", ".jpg", ".jpeg")
_SHAPE = f"[n, {SIDE}, {SIDE}, 3]"

FaceCrops = PathLike[str] | str | Any
"""A folder with one picture for each frame, in the order of their names, or an array of uint8
[n, 112, 112, 3] in RGB."""


def pack(video: bytes, crops: FaceCrops) -> bytes:
    """Return a container with the bytes of a clip and its crops.

    Equal clips and crops give equal bytes, because servers know a clip again by its bytes.

    Raises:
        ValueError: the folder has no crops, or a crop has another size or type.
        OSError: a file cannot be read.
    """
    pixels, count = _of_folder(Path(crops)) if isinstance(crops, str | PathLike) else _of(crops)
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as container:
        # A `ZipInfo` has a constant date. A bare name would get the time of the clock.
        container.writestr(zipfile.ZipInfo("video.npy"), _header((len(video),)) + video)
        header = _header((count, SIDE, SIDE, 3))
        container.writestr(zipfile.ZipInfo("face_crops.npy"), header + pixels)
    return data.getvalue()


def _header(shape: tuple[int, ...]) -> bytes:
    """Return the header of a `.npy` file of uint8, for which the client needs no numpy."""
    told = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}}}"
    text = told.ljust(-(len(told) + 11) % 64 + len(told)) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


def _of(crops: Any) -> tuple[bytes, int]:
    if not hasattr(crops, "__array__"):
        raise ValueError(f"`face_crops` is a folder or an array, not a {type(crops).__name__}.")
    array: Any = crops.__array__()
    if str(array.dtype) != "uint8" or array.shape[1:] != (SIDE, SIDE, 3) or not len(array):
        raise ValueError(
            f"`face_crops` must be uint8 {_SHAPE}, not {array.dtype} {list(array.shape)}."
        )
    return array.tobytes(), len(array)


def _of_folder(folder: Path) -> tuple[bytes, int]:
    pictures = list(_read(folder))
    if not pictures:
        raise ValueError(f"{folder} has no face crops ({', '.join(ENDINGS)}).")
    return b"".join(pictures), len(pictures)


def _read(folder: Path) -> Iterator[bytes]:
    """Yield the pixels of each picture in a folder, in the order of the names."""
    try:
        from PIL import Image
    except ImportError as error:
        raise ValueError("Face crops in files need Pillow: pip install pillow.") from error
    for file in sorted(file for file in folder.iterdir() if file.suffix.lower() in ENDINGS):
        with Image.open(file, formats=("BMP", "PNG", "JPEG")) as picture:
            if picture.size != (SIDE, SIDE):
                size = " x ".join(map(str, picture.size))
                raise ValueError(f"{file} is {size} pixels; a face crop has {SIDE} x {SIDE}.")
            yield picture.convert("RGB").tobytes()
