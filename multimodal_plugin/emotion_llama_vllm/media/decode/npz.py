"""Reads the `.npz` container: a video file together with what was extracted from it before.

It has the member `video` (the bytes of a video or image file, uint8 [n]) and one or both of
`features` (float32 [3, feature size]; a row of NaN means that it is absent) and `face_crops` (RGB
uint8 [frames, CROP, CROP, 3], from which a face encoder computes the absent rows).
"""

import io
import zipfile
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from tokenize import TokenError
from typing import IO

import numpy as np
import numpy.typing as npt
import pybase64
from numpy.lib import format as npy

from emotion_llama_vllm.media import magic
from emotion_llama_vllm.media.errors import FeaturesError, MediaError, MediaTooLarge
from emotion_llama_vllm.settings import MediaSettings

FEATURE_NAMES = ("FaceMAE", "VideoMAE", "audio")
"""The names of a clip's feature rows, in their order (`first_face.py` of the original)."""

AUDIO_ROW = FEATURE_NAMES.index("audio")

CROP = 112
"""The side of a face crop in pixels, as OpenFace writes it for the original."""

_VIDEO, _FEATURES, _FACE_CROPS = "video.npy", "features.npy", "face_crops.npy"
_MEMBERS = (
    {_VIDEO, _FEATURES},
    {_VIDEO, _FACE_CROPS},
    {_VIDEO, _FEATURES, _FACE_CROPS},
)
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The compressions that `numpy.savez` and `numpy.savez_compressed` use."""
_UNREADABLE = (ValueError, TypeError, KeyError, OverflowError, SyntaxError, TokenError, zlib.error)
"""The exceptions for a damaged array; numpy parses its header as a Python literal."""
_MAX_FEATURE_BYTES = 1 << 20
_HEADER_BYTES = 4096
"""More bytes than the header of a `.npy` file with few dimensions has."""
_HOW = (
    "an .npz clip holds exactly `video` (uint8 bytes of a video file) and `features`, `face_crops` "
    "or both"
)

ONLY_FOR_CHAT = "`features` in an .npz clip are for chat; here they are a field of their own."
"""The error message of an analysis for an `.npz` clip with feature rows."""


def is_container(data: bytes) -> bool:
    return data.startswith(magic.ZIP)


@dataclass(frozen=True)
class Contents:
    """Holds the members of a container."""

    video: bytes
    features: npt.NDArray[np.float32] | None = None
    face_crops: npt.NDArray[np.uint8] | None = None


def open_container(data: bytes, settings: MediaSettings) -> Contents:
    """Return the members of an `.npz` container.

    It checks sizes before it inflates anything, and refuses pickled members.

    Raises:
        MediaError: the bytes are no such container, or its arrays are of another kind.
        MediaTooLarge: a member has more bytes than `settings` allow.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = _check_members(archive, settings)
            arrays = {name: _read_array(archive, name) for name in names}
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError) as error:
        raise MediaError(f"The .npz clip cannot be opened; {_HOW}.") from error
    video, features, crops = (arrays.get(name) for name in (_VIDEO, _FEATURES, _FACE_CROPS))
    if video is None or video.dtype != np.uint8 or video.ndim != 1:
        raise MediaError("`video` in the .npz must be one row of uint8: the bytes of a file.")
    return Contents(
        video.tobytes(),
        None if features is None else check_features(features),
        None if crops is None else check_face_crops(crops, settings.max_face_crops),
    )


def _check_members(archive: zipfile.ZipFile, settings: MediaSettings) -> list[str]:
    """Return the names of the members, whose inflated sizes are within the limits."""
    members = {info.filename: info for info in archive.infolist()}
    if set(members) not in _MEMBERS or len(archive.infolist()) != len(members):
        raise MediaError(f"The clip is a zip file, but {_HOW}.")
    if any(info.compress_type not in _COMPRESSIONS for info in members.values()):
        raise MediaError(f"The clip is compressed in a way that is not supported; {_HOW}.")
    limits = {
        _VIDEO: settings.max_media_bytes,
        _FEATURES: _MAX_FEATURE_BYTES,
        _FACE_CROPS: settings.max_face_crops * CROP * CROP * 3,
    }
    for name, info in members.items():
        if info.file_size > limits[name] + _HEADER_BYTES:
            what = name.removesuffix(".npy")
            raise MediaTooLarge(f"`{what}` inside the .npz is over {limits[name]} bytes.")
    return list(members)


def read_base64(text: str, feature_size: int | None = None) -> npt.NDArray[np.float32]:
    """Return the rows of a base64 `.npy` file, of any size if `feature_size` is None.

    Raises:
        FeaturesError: the text is no such file, or the array has another type, shape or value.
    """
    try:
        features = check_features(_read_npy(io.BytesIO(pybase64.b64decode(text, validate=True))))
    except _UNREADABLE as error:
        reason = str(error) if isinstance(error, MediaError) else "they are no plain array."
        raise FeaturesError(f"`features` must be base64 of a .npy file: {reason}") from error
    if feature_size is not None and features.shape[1] != feature_size:
        raise FeaturesError(
            f"`features` must be float32 [{len(FEATURE_NAMES)}, {feature_size}] for this "
            f"checkpoint, not [{len(FEATURE_NAMES)}, {features.shape[1]}]."
        )
    return features


def missing(features: npt.NDArray[np.float32] | None, rows: Collection[int]) -> tuple[int, ...]:
    """Return which of these rows are absent from `features`, as checked before."""
    return tuple(row for row in rows if features is None or np.isnan(features[row]).all())


def check_features(features: object) -> npt.NDArray[np.float32]:
    """Return `features` unchanged if it is float32 [3, n] with each row finite or all NaN.

    Raises:
        MediaError: the type, the shape or a value is wrong.
    """
    rows = len(FEATURE_NAMES)
    if (
        not isinstance(features, np.ndarray)
        or features.dtype != np.float32
        or features.ndim != 2
        or features.shape[0] != rows
    ):
        raise MediaError(f"`features` must be float32 [{rows}, feature size].")
    absent = np.atleast_1d(np.isnan(features).all(axis=1))
    if not np.isfinite(features[~absent]).all():
        raise MediaError("Each row of `features` must be finite, or all NaN where not given.")
    return np.ascontiguousarray(features)


def check_face_crops(crops: object, most: int) -> npt.NDArray[np.uint8]:
    """Return `crops` unchanged if it is uint8 [frames, CROP, CROP, 3] of 1 to `most` frames.

    Raises:
        MediaError: the type or the shape is wrong.
        MediaTooLarge: there are more than `most` frames.
    """
    if (
        not isinstance(crops, np.ndarray)
        or crops.dtype != np.uint8
        or crops.ndim != 4
        or crops.shape[1:] != (CROP, CROP, 3)
        or not len(crops)
    ):
        raise MediaError(
            f"`face_crops` must be RGB uint8 [frames, {CROP}, {CROP}, 3] of at least one frame."
        )
    if len(crops) > most:
        raise MediaTooLarge(
            f"`face_crops` has {len(crops)} frames, but this server takes at most {most}."
        )
    return np.ascontiguousarray(crops)


def _read_array(archive: zipfile.ZipFile, member: str) -> np.ndarray:
    with archive.open(member) as stream:
        try:
            return _read_npy(stream)
        except _UNREADABLE as error:
            raise MediaError(f"`{member}` in the .npz is no plain array; {_HOW}.") from error


def _read_npy(stream: IO[bytes]) -> np.ndarray:
    """Read a `.npy` file, using memory for its actual data and not for the size in its header.

    Raises:
        ValueError: the stream is no `.npy` file, or holds pickled objects.
    """
    version = npy.read_magic(stream)
    read_header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, fortran_order, dtype = read_header(stream)
    if dtype.hasobject:
        raise ValueError("pickled objects")
    return np.frombuffer(stream.read(), dtype).reshape(shape, order="F" if fortran_order else "C")
