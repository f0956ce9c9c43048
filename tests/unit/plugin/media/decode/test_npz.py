"""The `.npz` container."""

import base64
import contextlib
import io
import random
import zipfile
from typing import Any

import numpy as np
import pytest

from devtools.media import make_clip
from emotion_llama_vllm.media.decode.first_frame import decode
from emotion_llama_vllm.media.decode.npz import open_container, read_base64
from emotion_llama_vllm.media.errors import MediaError, MediaTooLarge
from emotion_llama_vllm.settings import MediaSettings

VIDEO = np.frombuffer(make_clip(), np.uint8)
FEATURES = np.arange(3 * 8, dtype=np.float32).reshape(3, 8)
LIMIT = 1 << 20


def container(**arrays: Any) -> bytes:
    data = io.BytesIO()
    np.savez_compressed(data, **arrays)
    return data.getvalue()


def test_a_container_gives_the_clip_and_its_features() -> None:
    data = container(video=VIDEO, features=FEATURES)
    clip = decode(data, settings=MediaSettings())
    plain = decode(VIDEO.tobytes(), settings=MediaSettings())
    np.testing.assert_array_equal(clip.frame, plain.frame)
    assert clip.features is not None
    np.testing.assert_array_equal(clip.features, FEATURES)


def test_an_uncompressed_and_fortran_ordered_container_is_the_same() -> None:
    data = io.BytesIO()
    np.savez(data, video=VIDEO, features=np.asfortranarray(FEATURES))
    _, features = open_container(data.getvalue(), max_bytes=LIMIT)
    np.testing.assert_array_equal(features, FEATURES)


def test_a_row_of_nan_is_not_given() -> None:
    features = FEATURES.copy()
    features[0] = np.nan
    opened = open_container(container(video=VIDEO, features=features), max_bytes=LIMIT)[1]
    assert np.isnan(opened[0]).all()


def _spoilt(row: int, column: int, value: float) -> np.ndarray:
    features = FEATURES.copy()
    features[row, column] = value
    return features


@pytest.mark.parametrize(
    "arrays",
    [
        {"video": VIDEO},
        {"features": FEATURES},
        {"video": VIDEO, "features": FEATURES, "more": FEATURES},
        {"video": VIDEO.astype(np.int16), "features": FEATURES},
        {"video": VIDEO[None], "features": FEATURES},
        {"video": VIDEO, "features": FEATURES.astype(np.float64)},
        {"video": VIDEO, "features": FEATURES[:2]},
        {"video": VIDEO, "features": FEATURES[0]},
        {"video": VIDEO, "features": _spoilt(1, 2, np.nan)},
        {"video": VIDEO, "features": _spoilt(1, 2, np.inf)},
        {"video": np.array([{"pickled": 1}], dtype=object), "features": FEATURES},
    ],
)
def test_any_other_content_is_refused(arrays: dict[str, Any]) -> None:
    with pytest.raises(MediaError):
        open_container(container(**arrays), max_bytes=LIMIT)


def test_sizes_are_checked_before_inflating() -> None:
    bomb = container(video=np.zeros(50 << 20, np.uint8), features=FEATURES)
    assert len(bomb) < 200_000
    with pytest.raises(MediaTooLarge):
        open_container(bomb, max_bytes=LIMIT)
    bomb = container(video=VIDEO, features=np.zeros((3, 1 << 20), np.float32))
    with pytest.raises(MediaTooLarge):
        open_container(bomb, max_bytes=LIMIT)


@pytest.mark.parametrize("cut", [10, 100, 1000])
def test_a_damaged_container_is_refused(cut: int) -> None:
    data = container(video=VIDEO, features=FEATURES)
    with pytest.raises(MediaError):
        decode(data[:-cut], settings=MediaSettings())


def test_a_header_that_lies_about_its_size_is_refused() -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 900000000000), }"
        padded = header + b" " * (117 - len(header)) + b"\n"
        archive.writestr("features.npy", b"\x93NUMPY\x01\x00\x76\x00" + padded)
        buffer = io.BytesIO()
        np.save(buffer, VIDEO)
        archive.writestr("video.npy", buffer.getvalue())
    with pytest.raises(MediaError):
        open_container(data.getvalue(), max_bytes=LIMIT)


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_rare_compression_is_refused(compression: int) -> None:
    with (
        zipfile.ZipFile(io.BytesIO(container(video=VIDEO, features=FEATURES))) as whole,
        io.BytesIO() as data,
    ):
        with zipfile.ZipFile(data, "w", compression) as other:
            for name in whole.namelist():
                other.writestr(name, whole.read(name))
        with pytest.raises(MediaError, match="compressed in a way"):
            decode(data.getvalue(), settings=MediaSettings())


@pytest.mark.parametrize("seed", range(200))
def test_a_damaged_header_is_refused(seed: int) -> None:
    draw = random.Random(seed)
    array = io.BytesIO()
    np.save(array, np.zeros((3, 8), np.float32))
    spoiled = bytearray(array.getvalue())
    for _ in range(1 + seed % 4):
        spoiled[draw.randrange(6, 128)] = draw.randrange(256)
    with contextlib.suppress(MediaError):
        read_base64(base64.b64encode(bytes(spoiled)).decode(), 8)
