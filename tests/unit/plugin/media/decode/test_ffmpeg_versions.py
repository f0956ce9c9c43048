"""The FFmpeg inside the installed wheels has no known hole in a decoder that may run."""

import re
import sysconfig
from pathlib import Path

import pytest

from emotion_llama_vllm.media.decode.container import CODECS

FIXED = [
    # libavcodec in which it is fixed, and the decoders that it concerns.
    ((62, 28, 100), CODECS, "what FFmpeg 8.1 fixed since the 5.1 that older wheels hold"),
    ((62, 28, 102), {"magicyuv"}, "CVE-2026-8461, out of bounds write"),
    ((62, 28, 102), {"jpeg2000"}, "CVE-2026-22778, heap overflow"),
]


def libraries() -> dict[str, tuple[int, ...]]:
    """The libavcodec of each wheel that brings one: its version is in the file's name."""
    packages = Path(sysconfig.get_path("platlib"))
    return {
        path.parent.name: tuple(map(int, match.groups()))
        for path in packages.glob("*/libavcodec*.so*")
        if (match := re.search(r"\.so\.(\d+)\.(\d+)\.(\d+)$", path.name))
    }


def test_the_wheel_that_decodes_is_among_them() -> None:
    assert "av.libs" in libraries()


@pytest.mark.parametrize(("fixed", "codecs", "what"), FIXED)
def test_no_decoder_that_may_run_has_a_known_hole(
    fixed: tuple[int, ...], codecs: set[str], what: str
) -> None:
    for wheel, version in libraries().items():
        assert version >= fixed or not codecs & CODECS, f"{wheel} {version}: {what}"
