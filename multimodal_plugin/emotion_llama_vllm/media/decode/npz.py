"""Reads the `.npz` container: a video file together with its pre-extracted feature rows.

It has two members: `video` (the bytes of a video or image file, uint8 [n]) and `features` (float32
[3, feature size]; a row of NaN means that it is absent).
"""

import io
import zipfile
import zlib
from tokenize import TokenError
from typing import IO

import numpy as np
import numpy.typing as npt
import pybase64
from numpy.lib import format as npy

from emotion_llama_vllm.media import magic
from emotion_llama_vllm.media.errors import FeaturesError, MediaError, MediaTooLarge

FEATURE_NAMES = ("FaceMAE", "VideoMAE", "audio")
"""The names of a clip's feature rows, in their order (`first_face.py` of the original)."""

AUDIO_ROW = FEATURE_NAMES.index("audio")

_MEMBERS = {"video.npy", "features.npy"}
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The compressions that `numpy.savez` and `numpy.savez_compressed` use."""
_UNREADABLE = (ValueError, TypeError, KeyError, OverflowError, SyntaxError, TokenError, zlib.error)
"""The exceptions for a damaged array; numpy parses its header as a Python literal."""
_MAX_FEATURE_BYTES = 1 << 20
_HOW = "an .npz clip holds exactly `video` (uint8 bytes of a video file) and `features`"

ONLY_FOR_CHAT = "An .npz clip is for chat; here features are a field of their own."
"""The error message of an analysis for an `.npz` clip."""


def is_container(data: bytes) -> bool:
    return data.startswith(magic.ZIP)


def open_container(data: bytes, *, max_bytes: int) -> tuple[bytes, npt.NDArray[np.float32]]:
    """Return the video's bytes and the features of an `.npz` container.

    It checks sizes before it inflates anything, and refuses pickled members.

    Raises:
        MediaError: the bytes are no such container, or its arrays are of another kind.
        MediaTooLarge: the video has more than `max_bytes`.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {info.filename: info for info in archive.infolist()}
            if set(members) != _MEMBERS or len(archive.infolist()) != len(_MEMBERS):
                raise MediaError(f"The clip is a zip file, but {_HOW}.")
            if any(info.compress_type not in _COMPRESSIONS for info in members.values()):
                raise MediaError(f"The clip is compressed in a way that is not supported; {_HOW}.")
            if members["video.npy"].file_size > max_bytes + 4096:
                raise MediaTooLarge(f"The video inside the .npz is over {max_bytes} bytes.")
            if members["features.npy"].file_size > _MAX_FEATURE_BYTES:
                raise MediaTooLarge("The features inside the .npz are over 1 MiB.")
            video = _read_array(archive, "video.npy")
            features = _read_array(archive, "features.npy")
    except (zipfile.BadZipFile, OSError, EOFError, RuntimeError, NotImplementedError) as error:
        raise MediaError(f"The .npz clip cannot be opened; {_HOW}.") from error
    if video.dtype != np.uint8 or video.ndim != 1:
        raise MediaError("`video` in the .npz must be one row of uint8: the bytes of a file.")
    return video.tobytes(), check_features(features)


def read_base64(text: str, feature_size: int) -> npt.NDArray[np.float32]:
    """Return the rows of a base64 `.npy` file.

    Raises:
        FeaturesError: the text is no such file, or the array has another type, shape or value.
    """
    try:
        features = check_features(_read_npy(io.BytesIO(pybase64.b64decode(text, validate=True))))
    except _UNREADABLE as error:
        reason = str(error) if isinstance(error, MediaError) else "they are no plain array."
        raise FeaturesError(f"`features` must be base64 of a .npy file: {reason}") from error
    if features.shape[1] != feature_size:
        raise FeaturesError(
            f"`features` must be float32 [{len(FEATURE_NAMES)}, {feature_size}] for this "
            f"checkpoint, not [{len(FEATURE_NAMES)}, {features.shape[1]}]."
        )
    return features


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
